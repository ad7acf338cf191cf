-- The rules that the database itself keeps. Replaced as a whole at every installation and upgrade.
-- All run as the caller, with a pinned search_path; every name is qualified.

CREATE OR REPLACE FUNCTION expandcontract.durable() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- a role set to asynchronous commit would lose acknowledged transitions in a crash
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION expandcontract.journal_hash(
    previous text, seq bigint, at timestamptz, actor text, change text, event text, detail jsonb
) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT encode(sha256(convert_to(jsonb_build_array(
        previous, seq, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), actor, change, event, detail
    )::text, 'UTF8')), 'hex')
$$;

CREATE OR REPLACE FUNCTION expandcontract.journal_append(change text, event text, detail jsonb) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_head expandcontract.journal_head;
    v_at timestamptz;
    v_actor text := session_user || ' ' || current_setting('application_name');
BEGIN
    PERFORM expandcontract.durable();
    SELECT * INTO STRICT v_head FROM expandcontract.journal_head FOR UPDATE;
    v_at := clock_timestamp();
    INSERT INTO expandcontract.journal (seq, at, actor, change, event, detail, previous, hash) VALUES (
        v_head.seq + 1, v_at, v_actor, journal_append.change, journal_append.event, journal_append.detail, v_head.hash,
        expandcontract.journal_hash(
            v_head.hash, v_head.seq + 1, v_at, v_actor,
            journal_append.change, journal_append.event, journal_append.detail
        )
    );
    UPDATE expandcontract.journal_head SET seq = j.seq, hash = j.hash
    FROM expandcontract.journal AS j WHERE j.seq = v_head.seq + 1;
    RETURN v_head.seq + 1;
END $$;

CREATE OR REPLACE FUNCTION expandcontract.journal_keep() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the journal of expandcontract only grows: % is refused', TG_OP
        USING ERRCODE = 'EC602', HINT = 'ec history --verify';
END $$;

CREATE OR REPLACE TRIGGER journal_keep BEFORE UPDATE OR DELETE ON expandcontract.journal
FOR EACH ROW EXECUTE FUNCTION expandcontract.journal_keep();

CREATE OR REPLACE TRIGGER journal_keep_all BEFORE TRUNCATE ON expandcontract.journal
FOR EACH STATEMENT EXECUTE FUNCTION expandcontract.journal_keep();

CREATE OR REPLACE FUNCTION expandcontract.phase(change text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.phase FROM expandcontract.change AS c WHERE c.name = phase.change
$$;

CREATE OR REPLACE FUNCTION expandcontract.backend() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.pid || '/' || a.backend_start FROM pg_stat_activity AS a WHERE a.pid = pg_backend_pid()
$$;

CREATE OR REPLACE FUNCTION expandcontract.is_straight() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT i.development OR coalesce(i.fresh = expandcontract.backend(), false) FROM expandcontract.installation AS i
$$;

CREATE OR REPLACE FUNCTION expandcontract.refuse(reason text, hint text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '%', reason USING ERRCODE = 'EC301', HINT = hint;
END $$;

CREATE OR REPLACE FUNCTION expandcontract.get_change(name text) RETURNS expandcontract.change
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_change expandcontract.change;
BEGIN
    SELECT * INTO v_change FROM expandcontract.change AS c WHERE c.name = get_change.name FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM expandcontract.refuse(format('the ledger knows no change %s', name), 'ec status');
    END IF;
    RETURN v_change;
END $$;

-- Whether both shapes hold one column, and not just to keep it as it is.
CREATE OR REPLACE FUNCTION expandcontract.collide(one jsonb, other jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM jsonb_array_elements(one -> 'holds') AS mine, jsonb_array_elements(other -> 'holds') AS theirs
        WHERE mine ->> 'schema' = theirs ->> 'schema' AND mine ->> 'table' = theirs ->> 'table'
          AND NOT (coalesce((mine ->> 'kept')::boolean, false) AND coalesce((theirs ->> 'kept')::boolean, false))
          AND ARRAY(SELECT jsonb_array_elements_text(mine -> 'columns'))
              && ARRAY(SELECT jsonb_array_elements_text(theirs -> 'columns')))
$$;

CREATE OR REPLACE FUNCTION expandcontract.begin_change(name text, kind text, shape jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_other text;
BEGIN
    PERFORM expandcontract.durable();
    IF kind = 'swapped' THEN
        shape := expandcontract.with_swapped(shape);
    END IF;
    SELECT c.name INTO v_other FROM expandcontract.change AS c
    WHERE c.attached AND c.name <> begin_change.name AND expandcontract.collide(c.shape, begin_change.shape) LIMIT 1;
    IF FOUND THEN
        PERFORM expandcontract.refuse(
            format('%s maps a column that the open change %s maps already', name, v_other), 'ec status ' || v_other);
    END IF;
    INSERT INTO expandcontract.change AS c (name, kind, shape, attached)
    VALUES (begin_change.name, begin_change.kind, begin_change.shape, true)
    ON CONFLICT ON CONSTRAINT change_pkey
    DO UPDATE SET kind = excluded.kind, shape = excluded.shape, attached = true WHERE c.phase = 'planned';
    IF NOT FOUND THEN
        PERFORM expandcontract.refuse(
            format('%s has begun already and is %s', name, expandcontract.phase(name)), 'ec status ' || name);
    END IF;
    PERFORM expandcontract.hold(name, shape);
    PERFORM expandcontract.sync(shape);
END $$;

CREATE OR REPLACE FUNCTION expandcontract.assert_contract(name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_change expandcontract.change;
    v_closes timestamptz;
    v_hint text := format('ec gate %s contract', name);
BEGIN
    IF expandcontract.is_straight() THEN
        PERFORM set_config('expandcontract.ending', name, true);
        RETURN;
    END IF;
    v_change := expandcontract.get_change(name);
    IF v_change.phase <> 'cut_over' THEN
        PERFORM expandcontract.refuse(format(
            'contract of %s is refused: it is %s, and only a change that is cut_over can be contracted',
            name, v_change.phase), v_hint || '; additive work is applied with: alembic upgrade expand@head');
    END IF;
    v_closes := v_change.window_opened_at + v_change.window_length;
    IF v_closes IS NULL OR v_closes > clock_timestamp() THEN
        PERFORM expandcontract.refuse(format(
            'contract of %s is refused: its rollback window closes at %s (in %s)', name, coalesce(v_closes::text, 'never'),
            coalesce(date_trunc('second', v_closes - clock_timestamp())::text, 'no known time')),
            v_hint || '; additive work is applied with: alembic upgrade expand@head');
    END IF;
    IF v_change.move IS DISTINCT FROM 'contract' THEN
        PERFORM expandcontract.refuse(format(
            'contract of %s is refused: no gate was asked, only ec runs a contract', name), 'ec advance ' || name);
    END IF;
    PERFORM set_config('expandcontract.ending', name, true);
END $$;

-- Whether the expand may be taken back now; refuses with the reason where not.
CREATE OR REPLACE FUNCTION expandcontract.assert_retract(name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_change expandcontract.change := expandcontract.get_change(name);
    v_release expandcontract.release;
BEGIN
    IF expandcontract.is_straight() THEN
        RETURN;
    END IF;
    IF v_change.phase <> 'expanded' OR coalesce(v_change.move, 'roll-back') <> 'roll-back' THEN
        PERFORM expandcontract.refuse(format('taking back the expand of %s is refused: it is %s%s', name,
            v_change.phase, coalesce(' with ' || v_change.move || ' in flight', '')), 'ec rollback ' || name);
    END IF;
    SELECT * INTO v_release FROM expandcontract.release AS r
    WHERE r.speaks ->> assert_retract.name IN ('dual', 'new') LIMIT 1;
    IF FOUND THEN
        PERFORM expandcontract.refuse(format('taking back the expand of %s is refused: release %s on %s speaks %s', name,
            v_release.version, v_release.color, v_release.speaks ->> name), 'ec status ' || name);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION expandcontract.end_change(name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_change expandcontract.change := expandcontract.get_change(name);
BEGIN
    PERFORM expandcontract.durable();
    IF current_setting('expandcontract.ending', true) IS DISTINCT FROM name THEN
        PERFORM expandcontract.assert_retract(name);
    ELSIF v_change.kind = 'swapped' AND NOT expandcontract.names_are_traded(name) THEN
        PERFORM expandcontract.refuse(format('the contract of %s would drop the new column: the names are not traded, '
            'which no script made with --sql can do', name), 'alembic upgrade heads, online');
    END IF;
    UPDATE expandcontract.change AS c SET attached = false WHERE c.name = end_change.name;
    PERFORM expandcontract.sync(v_change.shape);
    EXECUTE format('DROP VIEW IF EXISTS expandcontract.%I', 'hold_' || name);
END $$;

-- Fills every unfilled row in one statement; only where pairs run straight through and nothing old can be running.
CREATE OR REPLACE FUNCTION expandcontract.fill_straight(name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_shape jsonb := (expandcontract.get_change(name)).shape;
    v_backfill text := coalesce(current_setting('expandcontract.backfill', true), '');
    v_statement text;
BEGIN
    PERFORM set_config('expandcontract.backfill', 'on', true);
    PERFORM expandcontract.transfer_straight(t) FROM jsonb_array_elements(v_shape -> 'transfers') AS t;
    FOR v_statement IN
        SELECT format('UPDATE %I.%I SET %s WHERE %s', work ->> 'schema', work ->> 'table',
            string_agg(format('%I = (%s)', item ->> 'column', item ->> 'sql'), ', '),
            coalesce(work ->> 'where', string_agg(format('%I IS NULL', item ->> 'column'), ' AND ')))
        FROM jsonb_array_elements(coalesce(v_shape -> 'mappings', '[]') || coalesce(v_shape -> 'fills', '[]')) AS work,
             jsonb_array_elements(coalesce(work -> 'forward', work -> 'values')) AS item
        GROUP BY work
    LOOP
        EXECUTE v_statement;
    END LOOP;
    PERFORM set_config('expandcontract.backfill', v_backfill, true);
END $$;

CREATE OR REPLACE FUNCTION expandcontract.revision_applied(name text, half text, revision text, kind text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_straight boolean := expandcontract.is_straight();
BEGIN
    PERFORM expandcontract.durable();
    IF half = 'expand' THEN
        INSERT INTO expandcontract.change AS c (name, kind, phase, expand_revision)
        VALUES (revision_applied.name, revision_applied.kind, 'expanded', revision)
        ON CONFLICT ON CONSTRAINT change_pkey
        DO UPDATE SET phase = 'expanded', expand_revision = revision, move = NULL, move_since = NULL,
            move_version = NULL, move_arguments = NULL
        WHERE c.phase = 'planned' AND coalesce(c.move, 'expand') = 'expand';
    ELSE
        UPDATE expandcontract.change AS c
        SET phase = 'contracted', contract_revision = revision, contracted_at = clock_timestamp(),
            straight = v_straight, move = NULL, move_since = NULL, move_version = NULL, move_arguments = NULL
        WHERE c.name = revision_applied.name AND NOT c.attached
          AND (v_straight OR (c.phase = 'cut_over' AND c.move = 'contract'));
    END IF;
    IF NOT FOUND THEN
        PERFORM expandcontract.refuse(format('the %s of %s does not fit: it is %s', half, name,
            coalesce(expandcontract.phase(name), 'not known')), 'ec status ' || name);
    END IF;
    PERFORM expandcontract.journal_append(name, half || '_applied',
        jsonb_build_object('revision', revision, 'straight', v_straight));
END $$;

CREATE OR REPLACE FUNCTION expandcontract.revision_reverted(name text, half text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_change expandcontract.change := expandcontract.get_change(name);
BEGIN
    PERFORM expandcontract.durable();
    IF half = 'contract' AND NOT expandcontract.is_straight() THEN
        PERFORM expandcontract.refuse(
            format('%s is contracted: what a contract dropped cannot be brought back', name), 'ec status ' || name);
    ELSIF half = 'contract' THEN
        UPDATE expandcontract.change AS c SET phase = 'expanded', contracted_at = NULL, straight = false
        WHERE c.name = revision_reverted.name;
        PERFORM expandcontract.reattach(name);
    ELSIF v_change.attached THEN
        PERFORM expandcontract.refuse(format('the downgrade of %s left its hold in place', name),
            'begin its downgrade() with op.end_change(change)');
    ELSE
        UPDATE expandcontract.change AS c SET phase = 'planned', expand_revision = NULL, move = NULL, move_since = NULL,
            move_version = NULL, move_arguments = NULL, before_dual = NULL, before_cut_over = NULL, by_database = false
        WHERE c.name = revision_reverted.name;
        DELETE FROM expandcontract.segment AS s WHERE s.change = revision_reverted.name;
        DELETE FROM expandcontract.keyset AS k WHERE k.change = revision_reverted.name;
        DELETE FROM expandcontract.backfill AS b WHERE b.change = revision_reverted.name;
        DELETE FROM expandcontract.progress AS p WHERE p.change = revision_reverted.name;
    END IF;
    PERFORM expandcontract.journal_append(name, half || '_reverted', '{}');
END $$;

CREATE OR REPLACE FUNCTION expandcontract.reattach(name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_change expandcontract.change := expandcontract.get_change(name);
BEGIN
    PERFORM expandcontract.durable();
    UPDATE expandcontract.change AS c SET attached = true WHERE c.name = reattach.name;
    PERFORM expandcontract.hold(name, v_change.shape);
    PERFORM expandcontract.sync(v_change.shape);
    PERFORM expandcontract.journal_append(name, 'reattached', '{}');
END $$;

GRANT USAGE ON SCHEMA expandcontract TO PUBLIC;
GRANT SELECT (name, phase) ON expandcontract.change TO PUBLIC;
GRANT INSERT ON expandcontract.conflict TO PUBLIC;
