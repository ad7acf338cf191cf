import sys, time, itertools
import psycopg
from expandcontract.backfill.fill import fill
from expandcontract.backfill.job import How
from expandcontract.core.mapping import Mapping
from expandcontract.core.shape import Shape
from expandcontract.core.pace import Pace
from expandcontract.ledger.install import install
from expandcontract.pg.connect import connect, parse
from expandcontract.pg.server import LocalServer
import json

ROWS = 2_000_000
SETUP = f"""CREATE TABLE users (id bigint PRIMARY KEY, full_name text NOT NULL, email text NOT NULL, score int NOT NULL, display_name text);
INSERT INTO users SELECT n, 'name of ' || n, 'user' || n || '@example.org', n % 1000, NULL FROM generate_series(1, {ROWS}) AS n;
CREATE INDEX ON users (email); CREATE INDEX ON users (score);"""
M = Mapping("users", forward={"display_name": "full_name"}, reverse={"full_name": "display_name"})


def figures(conn, t0):
    return conn.execute(
        "SELECT pg_relation_size('users'), pg_indexes_size('users'), pg_current_wal_insert_lsn() - '0/0'"
    ).fetchone()


def main():
    with LocalServer.start(
        version=18,
        settings={"shared_buffers": "1GB", "max_wal_size": "16GB", "autovacuum": "off", "checkpoint_timeout": "1h"},
    ) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as c:
            c.execute("CREATE DATABASE plain")
            c.execute("CREATE DATABASE synced")
        for name in ("plain", "synced"):
            with psycopg.connect(server.dsn(name), autocommit=True) as c:
                c.execute(SETUP)
                c.execute("VACUUM ANALYZE users")
        with connect(parse(server.dsn("synced")), command="bench") as c:
            install(c)
            from sqlalchemy import text

            c.execute(
                text("SELECT expandcontract.begin_change('users_x', 'mapped', cast(:s AS jsonb))"),
                {"s": json.dumps(Shape(mappings=(M,)).document())},
            )
            c.commit()

        def run(label, template, work):
            with psycopg.connect(server.dsn(), autocommit=True) as c:
                c.execute("DROP DATABASE IF EXISTS run WITH (FORCE)")
                c.execute(f"CREATE DATABASE run TEMPLATE {template}")
                c.execute("CHECKPOINT")
            with psycopg.connect(server.dsn("run"), autocommit=True) as c:
                c.execute("SELECT count(*), count(email), max(score) FROM users")
                c.execute("SET enable_seqscan=off")
                c.execute("SELECT count(email) FROM users WHERE email > ''")
                before = figures(c, 0)
                t = time.monotonic()
                work(server.dsn("run"))
                took = time.monotonic() - t
                after = figures(c, 0)
                left = c.execute("SELECT count(*) FROM users WHERE display_name IS DISTINCT FROM full_name").fetchone()[
                    0
                ]
            print(
                f"{label:44} {ROWS / took / 1000:7.1f}k rows/s heap {after[0] / before[0]:.2f} idx {after[1] / before[1]:.2f} wal/row {float(after[2] - before[2]) / ROWS:6.0f} left {left}",
                flush=True,
            )

        def update(dsn):
            with psycopg.connect(dsn, autocommit=True) as c:
                c.execute("UPDATE users SET display_name = full_name WHERE display_name IS NULL")

        def engine(window, stripes, batch, workers, target=0.1, most=3000, probe={}):
            def go(dsn):
                from datetime import timedelta

                how = How(
                    pace=Pace(
                        window_pages=window, stripes=stripes, batch_pages=batch, target=timedelta(seconds=target)
                    ),
                    most_pages=most,
                    workers=workers,
                )
                last = None
                for last in fill(parse(dsn), "users_x", M, how, epoch=0):
                    pass
                print(
                    "    ",
                    sum(l.batches for l in last.lanes),
                    "batches",
                    [(round(l.batch_s * 1000), l.batch_pages) for l in last.lanes],
                )

            return go

        run("UPDATE, no triggers", "plain", update)
        run("UPDATE, triggers", "synced", update)
        for spec in sys.argv[1:]:
            w, s, b, n, t, m = spec.split(",")
            run(
                f"ec window {w} stripes {s} batch {b} workers {n} target {t} most {m}",
                "synced",
                engine(int(w), int(s), int(b), int(n), float(t), int(m)),
            )
        run("UPDATE, triggers", "synced", update)


main()
