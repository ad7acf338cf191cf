"""A small users service in three releases, ``old``, ``dual`` and ``new``; only their SQL differs."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn
from psycopg_pool import ConnectionPool
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request


@dataclass(frozen=True)
class Shape:
    """The statements of one release."""

    read: str
    update: str
    insert: str


SHAPES = {
    "old": Shape(
        read="SELECT full_name FROM users WHERE id = %(id)s",
        update="UPDATE users SET full_name = %(name)s WHERE id = %(id)s",
        insert="INSERT INTO users (full_name) VALUES (%(name)s) RETURNING id",
    ),
    "dual": Shape(
        read="SELECT full_name FROM users WHERE id = %(id)s",
        update="UPDATE users SET full_name = %(name)s, display_name = %(name)s WHERE id = %(id)s",
        insert="INSERT INTO users (full_name, display_name) VALUES (%(name)s, %(name)s) RETURNING id",
    ),
    "new": Shape(
        read="SELECT display_name FROM users WHERE id = %(id)s",
        update="UPDATE users SET display_name = %(name)s WHERE id = %(id)s",
        insert="INSERT INTO users (display_name) VALUES (%(name)s) RETURNING id",
    ),
}
RELEASES = {"v1": "old", "v2": "dual", "v3": "new"}


def service(version: str, dsn: str, color: str = "") -> Starlette:
    """The service of that version, with connections of its own login role; each answer says who gave it."""
    shape = SHAPES[RELEASES[version]]
    us = {"release": version, "color": color}
    pool = ConnectionPool(dsn, min_size=2, max_size=6, open=False, kwargs={"autocommit": True})

    def run(statement: str, values: dict[str, object]) -> tuple[int, object]:
        with pool.connection() as connection:
            cursor = connection.execute(statement, values)
            row = cursor.fetchone() if cursor.description else None
            return cursor.rowcount, None if row is None else row[0]

    async def read(request: Request) -> JSONResponse:
        count, name = await run_in_threadpool(run, shape.read, {"id": request.path_params["id"]})
        return JSONResponse({"name": name, **us}, status_code=200 if count else 404)

    async def update(request: Request) -> JSONResponse:
        body = await request.json()
        values = {"id": request.path_params["id"], "name": body["name"]}
        count, _ = await run_in_threadpool(run, shape.update, values)
        return JSONResponse(us, status_code=200 if count else 404)

    async def create(request: Request) -> JSONResponse:
        body = await request.json()
        _, number = await run_in_threadpool(run, shape.insert, {"name": body["name"]})
        return JSONResponse({"id": number, **us}, status_code=201)

    async def health(_request: Request) -> JSONResponse:
        try:
            await run_in_threadpool(run, shape.read, {"id": 1})
        except Exception as exc:  # noqa: BLE001  # whatever is wrong is what a health check is for
            checks = {"database": str(exc).splitlines()[0]}
            return JSONResponse({"status": "unwell", "checks": checks, "version": version}, status_code=503)
        return JSONResponse({"status": "well", "checks": {"database": "ok"}, "version": version})

    async def ready(_request: Request) -> JSONResponse:
        return JSONResponse({"ready": True, "version": version})

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        pool.open(wait=True, timeout=20)
        yield
        pool.close()

    routes = [
        Route("/users/{id:int}", read, methods=["GET"]),
        Route("/users/{id:int}", update, methods=["PUT"]),
        Route("/users", create, methods=["POST"]),
        Route("/health", health),
        Route("/ready", ready),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def main() -> None:
    """Serve the version of ``EC_VERSION`` on ``PORT``, until SIGTERM; requests under way are finished first."""
    uvicorn.run(
        service(os.environ["EC_VERSION"], os.environ["DATABASE"], os.environ.get("EC_COLOR", "")),
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        log_level="warning",
        timeout_graceful_shutdown=10,
        # longer than the balancer keeps an idle connection, so that it is never the application that closes first
        timeout_keep_alive=75,
    )


if __name__ == "__main__":
    main()
