-- Hold and triggers, made from the mappings in the ledger. Rules for the next editor:
-- 1. A trigger function is never replaced while it is live: each generation has a name of its own, and the triggers are
--    swapped in the same transaction.
-- 2. What changed decides. What a session says it speaks decides only where that is silent.
-- 3. No UPDATE OF list and no depth guard: both lose writes.
-- 4. Where columns traded names ("leads" is new), no release knows the old one: a value that it cannot have leaves it
--    NULL and never fails the write. The way back counts such rows and stays closed for them.

CREATE OR REPLACE FUNCTION expandcontract.holds(shape jsonb)
RETURNS TABLE (number bigint, schema_name text, table_name text, columns text[])
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT n, hold ->> 'schema', hold ->> 'table', ARRAY(SELECT jsonb_array_elements_text(hold -> 'columns'))
    FROM jsonb_array_elements(shape -> 'holds') WITH ORDINALITY AS holds (hold, n)
$$;

-- One empty view over every column that must stay, of however many tables.
CREATE OR REPLACE FUNCTION expandcontract.hold(name text, shape jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_columns text;
    v_tables text;
BEGIN
    SELECT string_agg(format('t%s.%I AS %I', number, c, format('c%s_%s', number, place)), ', ' ORDER BY number, place)
    INTO v_columns FROM expandcontract.holds(shape), unnest(columns) WITH ORDINALITY AS listed (c, place);
    SELECT string_agg(format('%I.%I AS t%s', schema_name, table_name, number), ', ' ORDER BY number)
    INTO v_tables FROM expandcontract.holds(shape);
    EXECUTE format('DROP VIEW IF EXISTS expandcontract.%I', 'hold_' || name);
    IF v_columns IS NOT NULL THEN
        EXECUTE format('CREATE VIEW expandcontract.%I AS SELECT %s FROM %s WHERE false', 'hold_' || name, v_columns, v_tables);
    END IF;
END $$;

-- '' for a column whose type can be compared; '::text' for one without an equality operator (json, xml, point …), and
-- for one whose operator takes for equal what is not the same value (1 day and 24 hours, Bob and bob).
CREATE OR REPLACE FUNCTION expandcontract.comparable(relation regclass, name text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN e.typtype = 'c' OR NOT coalesce(l.collisdeterministic, true) OR e.typname IN (
            'json', 'xml', 'point', 'polygon', 'path', 'lseg', 'box', 'line', 'circle', 'txid_snapshot', 'interval', 'citext'
        ) THEN '::text' ELSE '' END
    FROM pg_attribute AS a
    JOIN pg_type AS d ON d.oid = a.atttypid
    JOIN pg_type AS t ON t.oid = CASE WHEN d.typtype = 'd' THEN d.typbasetype ELSE d.oid END
    JOIN pg_type AS e ON e.oid = CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END
    LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
    WHERE a.attrelid = relation AND a.attname = comparable.name AND NOT a.attisdropped
$$;

-- As an identifier of plpgsql: quote_ident() leaves words bare that are reserved there alone, such as begin and loop.
CREATE OR REPLACE FUNCTION expandcontract.quoted(name text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT '"' || replace(name, '"', '""') || '"'
$$;

-- Whether an inserted value was given: it differs from the column's default, or is not NULL where that is no constant.
CREATE OR REPLACE FUNCTION expandcontract.given(relation regclass, name text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN pg_get_expr(d.adbin, d.adrelid) ~ '^(''([^'']|'''')*''(::[a-z ]+(\([0-9, ]+\))?)?|-?[0-9.]+|true|false)$'
        THEN format('NEW.%s%s IS DISTINCT FROM (%s)%s', expandcontract.quoted(a.attname), expandcontract.comparable(relation, a.attname),
            pg_get_expr(d.adbin, d.adrelid), expandcontract.comparable(relation, a.attname))
        ELSE format('NEW.%s IS NOT NULL', expandcontract.quoted(a.attname)) END
    FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = relation AND a.attname = given.name AND NOT a.attisdropped
$$;

-- Whether an expression may speak of the row by its table's name: the name stands there, and no dot behind it.
CREATE OR REPLACE FUNCTION expandcontract.reads_whole_row(table_name text, side jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM jsonb_array_elements(side) AS item
        WHERE replace(item ->> 'sql', '"', '') ~ ('(^|[^[:word:]])'
            || regexp_replace(replace(table_name, '"', ''), '([^[:word:]])', '\\\1', 'g') || '($|[^[:word:].])'))
$$;

-- Sets the columns of one side from those of the other. The block's variables are named as the columns and the block as
-- the table, so that expressions are simple ones, which plpgsql evaluates without a query: several times as fast. Where
-- that would not mean the same a query does it: names that hide NEW, the row as a whole, domains, which check NULL.
CREATE OR REPLACE FUNCTION expandcontract.assign(relation regclass, mapping jsonb, side text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN source.simple
        THEN format('<<%s>> DECLARE %s BEGIN %s END', expandcontract.quoted(mapping ->> 'table'), source.variables,
            string_agg(format('NEW.%s := (%s);', expandcontract.quoted(item ->> 'column'), item ->> 'sql'), ' '))
        ELSE format('SELECT %s INTO %s FROM (SELECT %s) AS %I', string_agg(format('(%s)', item ->> 'sql'), ', '),
            string_agg('NEW.' || expandcontract.quoted(item ->> 'column'), ', '), source.columns, mapping ->> 'table') END
    FROM jsonb_array_elements(mapping -> side) AS item, (
        SELECT string_agg(format('%1$s %2$s.%3$s.%1$s%%TYPE := NEW.%1$s;', expandcontract.quoted(a.attname),
                expandcontract.quoted(mapping ->> 'schema'), expandcontract.quoted(mapping ->> 'table')), ' ') AS variables,
            string_agg(format('NEW.%1$s AS %1$s', expandcontract.quoted(a.attname)), ', ') AS columns,
            mapping ->> 'table' NOT IN ('new', 'old') AND bool_and(a.attname NOT IN ('new', 'old') AND t.typtype <> 'd')
                AND NOT expandcontract.reads_whole_row(mapping ->> 'table', mapping -> side) AS simple
        FROM jsonb_array_elements(mapping -> CASE side WHEN 'forward' THEN 'reverse' ELSE 'forward' END) AS other
        JOIN pg_attribute AS a ON a.attrelid = relation AND a.attname = other ->> 'column' AND NOT a.attisdropped
        JOIN pg_type AS t ON t.oid = a.atttypid
    ) AS source
    GROUP BY source.simple, source.variables, source.columns
$$;

-- The pieces of one change's block: what changed, was given, and the assignments of either side.
CREATE OR REPLACE FUNCTION expandcontract.pieces(relation regclass, mapping jsonb, side text) RETURNS TABLE (
    changed text, given text, assign text, equal text, empty text
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(format('NEW.%1$s%2$s IS DISTINCT FROM OLD.%1$s%2$s', name, cast_), ' OR '),
        string_agg(given_, ' OR '),
        expandcontract.assign(relation, mapping, side),
        format('(SELECT %s FROM (SELECT %s) AS %I)',
            string_agg(format('NEW.%s%s IS NOT DISTINCT FROM (%s)%s', name, cast_, sql, cast_), ' AND '),
            (SELECT string_agg(format('NEW.%1$s AS %1$s', expandcontract.quoted(o ->> 'column')), ', ')
             FROM jsonb_array_elements(mapping -> CASE side WHEN 'forward' THEN 'reverse' ELSE 'forward' END) AS o),
            mapping ->> 'table'),
        string_agg(format('NEW.%s IS NULL', name), ' AND ')
    FROM (SELECT expandcontract.quoted(item ->> 'column') AS name, item ->> 'sql' AS sql,
                 expandcontract.given(relation, item ->> 'column') AS given_,
                 expandcontract.comparable(relation, item ->> 'column') AS cast_
          FROM jsonb_array_elements(mapping -> side) AS item) AS columns
$$;

-- When a change's block has anything to do on UPDATE; also the trigger's WHEN, which knows no subquery.
CREATE OR REPLACE FUNCTION expandcontract.concerned(relation regclass, mapping jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('(%s OR %s OR ((%s) AND NOT (%s)))', old.changed, new.changed, new.empty, old.empty)
    FROM expandcontract.pieces(relation, mapping, 'reverse') AS old,
         expandcontract.pieces(relation, mapping, 'forward') AS new
$$;

-- The assignments of the old side, each NULL where its type cannot have the value.
CREATE OR REPLACE FUNCTION expandcontract.or_null(mapping jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(format('BEGIN SELECT (%1$s) INTO NEW.%2$s FROM (SELECT %3$s) AS %4$I; '
        'EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN NEW.%2$s := NULL; END',
        item ->> 'sql', expandcontract.quoted(item ->> 'column'),
        (SELECT string_agg(format('NEW.%1$s AS %1$s', expandcontract.quoted(n ->> 'column')), ', ')
         FROM jsonb_array_elements(mapping -> 'forward') AS n), mapping ->> 'table'), '; ')
    FROM jsonb_array_elements(mapping -> 'reverse') AS item
$$;

-- Both sides were written, or neither: where they disagree what the session speaks decides; a conflict is kept.
CREATE OR REPLACE FUNCTION expandcontract.settle(
    name text, mapping jsonb, equal text, forward text, reverse text, written boolean
) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format($block$
                IF NOT %1$s THEN
                    v_new := %2$s;%3$s
                    IF v_new THEN
                        %4$s;
                    ELSE
                        %5$s;
                    END IF;
                END IF;$block$,
        equal,
        coalesce((mapping ->> 'leads' = 'new')::text, format($speaks$pg_catalog.substring(
                        pg_catalog.current_setting('expandcontract.speaks', true), %L) IS NOT DISTINCT FROM 'new'$speaks$,
            format('(?:^|[, ])%s=(old|dual|new)(?:[, ]|$)', name))),
        CASE WHEN written THEN format($conflict$
                    INSERT INTO expandcontract.conflict (change, won)
                    VALUES (%L, CASE WHEN v_new THEN 'new' ELSE 'old' END);$conflict$, name) ELSE '' END,
        reverse, forward)
$$;

-- What one change does to a row. Nothing is evaluated before it is needed: each statement counts in every row.
CREATE OR REPLACE FUNCTION expandcontract.block(relation regclass, name text, mapping jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format($block$
    IF TG_OP = 'INSERT' THEN
        IF %1$s THEN
            IF NOT (%2$s) THEN
                %3$s;
            ELSE%6$s
            END IF;
        ELSIF %2$s THEN
            %4$s;
        ELSE%5$s
        END IF;
    ELSIF %7$s THEN
        IF NOT (%8$s) THEN
            %3$s;
        ELSE%6$s
        END IF;
    ELSIF %8$s THEN
        %4$s;
    ELSIF %9$s THEN
        %3$s;
    END IF;
$block$, old.given, new.given, new.assign, settled.reverse,
        expandcontract.settle(name, mapping, settled.equal, new.assign, settled.reverse, written => false),
        expandcontract.settle(name, mapping, settled.equal, new.assign, settled.reverse, written => true),
        old.changed, new.changed, new.empty)
    FROM expandcontract.pieces(relation, mapping, 'reverse') AS old,
         expandcontract.pieces(relation, mapping, 'forward') AS new,
         LATERAL (SELECT
            CASE WHEN mapping ->> 'leads' = 'new' THEN expandcontract.or_null(mapping) ELSE old.assign END AS reverse,
            CASE WHEN (mapping ->> 'lossy')::boolean AND mapping -> 'leads' IS NULL
                THEN format('(%s OR %s)', new.equal, old.equal) ELSE new.equal END AS equal
         ) AS settled
$$;

-- The tables that have triggers for the shape, each once: mapped ones, and both ends of what moves between tables.
CREATE OR REPLACE FUNCTION expandcontract.synced_tables(shape jsonb) RETURNS SETOF jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('schema', place ->> 'schema', 'table', place ->> 'table') FROM (
        SELECT m, 0, n FROM jsonb_array_elements(shape -> 'mappings') WITH ORDINALITY AS mappings (m, n)
        UNION ALL
        SELECT t -> 'target', 1, n FROM jsonb_array_elements(shape -> 'transfers') WITH ORDINALITY AS transfers (t, n)
        UNION ALL
        SELECT t -> 'source', 2, n FROM jsonb_array_elements(shape -> 'transfers') WITH ORDINALITY AS transfers (t, n)
    ) AS places (place, sort, number) GROUP BY 1 ORDER BY min(sort), min(number)
$$;

-- Makes the triggers anew of every table that has some for the shape.
CREATE OR REPLACE FUNCTION expandcontract.sync(shape jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_place jsonb;
BEGIN
    FOR v_place IN SELECT p FROM expandcontract.synced_tables(shape) AS p LOOP
        PERFORM expandcontract.sync_table(v_place ->> 'schema', v_place ->> 'table');
    END LOOP;
END $$;

-- Every transfer of an open change that has the table at one of its ends.
CREATE OR REPLACE FUNCTION expandcontract.transfers_of(schema_name text, table_name text)
RETURNS TABLE (change text, transfer jsonb, side text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.name, t, s FROM expandcontract.change AS c, jsonb_array_elements(c.shape -> 'transfers') AS t,
        unnest(ARRAY['source', 'target']) AS s
    WHERE c.attached AND t -> s = jsonb_build_object('schema', schema_name, 'table', table_name)
    ORDER BY c.name
$$;

-- The triggers that a table has for all its open changes.
CREATE OR REPLACE FUNCTION expandcontract.trigger_names(schema_name text, table_name text) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT DISTINCT 'zz_expandcontract_' || wanted.name FROM expandcontract.change AS c, LATERAL (
        SELECT unnest(ARRAY['insert', 'update']) FROM jsonb_array_elements(c.shape -> 'mappings') AS m
        WHERE m ->> 'schema' = trigger_names.schema_name AND m ->> 'table' = trigger_names.table_name
        UNION ALL
        SELECT unnest(ARRAY['insert', 'moved_insert', 'moved_update'] || CASE
            WHEN t -> 'target' = jsonb_build_object('schema', trigger_names.schema_name, 'table', trigger_names.table_name)
            THEN '{moved_delete}'::text[] END)
        FROM jsonb_array_elements(c.shape -> 'transfers') AS t
        WHERE jsonb_build_object('schema', trigger_names.schema_name, 'table', trigger_names.table_name)
            IN (t -> 'target', t -> 'source')
    ) AS wanted (name) WHERE c.attached
$$;

CREATE OR REPLACE FUNCTION expandcontract.sync_table(schema_name text, table_name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_table text := format('%I.%I', schema_name, table_name);
    v_before text;
    v_function text := 'sync_' || nextval('expandcontract.generation');
    v_names text[] := ARRAY(SELECT expandcontract.trigger_names(schema_name, table_name));
    v_before_row text;
    v_pulled text;
    v_pushed text;
    v_changed text;
    v_moved text;
    v_trigger text;
BEGIN
    SELECT s.function INTO v_before FROM expandcontract.synced AS s
    WHERE s.schema_name = sync_table.schema_name AND s.table_name = sync_table.table_name;
    SELECT string_agg(expandcontract.block(v_table::regclass, c.name, m), '' ORDER BY c.name),
           string_agg(expandcontract.concerned(v_table::regclass, m), ' OR ' ORDER BY c.name)
    INTO v_before_row, v_changed FROM expandcontract.change AS c, jsonb_array_elements(c.shape -> 'mappings') AS m
    WHERE c.attached AND m ->> 'schema' = sync_table.schema_name AND m ->> 'table' = sync_table.table_name;
    SELECT string_agg(expandcontract.pull_block(t.transfer, t.side), '' ORDER BY t.change),
           string_agg(expandcontract.push_block(t.change, t.transfer, t.side), '' ORDER BY t.change),
           string_agg(expandcontract.moves(t.transfer, t.side), ' OR ' ORDER BY t.change)
    INTO v_pulled, v_pushed, v_moved FROM expandcontract.transfers_of(schema_name, table_name) AS t;
    DELETE FROM expandcontract.synced AS s
    WHERE s.schema_name = sync_table.schema_name AND s.table_name = sync_table.table_name;
    -- DROP TRIGGER IF EXISTS would take ACCESS EXCLUSIVE to do nothing
    FOR v_trigger IN SELECT t.tgname FROM pg_trigger AS t WHERE t.tgrelid = v_table::regclass AND NOT t.tgisinternal
        AND t.tgname LIKE 'zz\_expandcontract\_%' AND t.tgname <> ALL (v_names)
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', v_trigger, v_table);
    END LOOP;
    IF v_names <> '{}' THEN
        EXECUTE format('CREATE FUNCTION expandcontract.%I() RETURNS trigger LANGUAGE plpgsql '
            'SET search_path = pg_catalog, pg_temp AS %L', v_function,
            expandcontract.body(v_before_row, v_pulled, v_pushed));
        FOREACH v_trigger IN ARRAY v_names LOOP
            EXECUTE format('CREATE OR REPLACE TRIGGER %I %s ON %s FOR EACH ROW %s EXECUTE FUNCTION expandcontract.%I()',
                v_trigger, expandcontract.fires(v_trigger), v_table, CASE v_trigger
                    WHEN 'zz_expandcontract_update' THEN expandcontract.fires_when(v_changed)
                    WHEN 'zz_expandcontract_moved_update' THEN expandcontract.fires_when(v_moved)
                    -- what a deletion means is silent: only a release that is known to read nothing else empties the other row
                    WHEN 'zz_expandcontract_moved_delete'
                    THEN 'WHEN (current_setting(''expandcontract.speaks'', true) LIKE ''%=new%'')'
                    ELSE '' END, v_function);
        END LOOP;
        INSERT INTO expandcontract.synced (schema_name, table_name, function, digest)
        VALUES (sync_table.schema_name, sync_table.table_name, v_function, expandcontract.sync_digest(v_table::regclass));
    END IF;
    IF v_before IS NOT NULL THEN
        EXECUTE format('DROP FUNCTION IF EXISTS expandcontract.%I()', v_before);
    END IF;
END $$;

-- The body of a table's one trigger function.
CREATE OR REPLACE FUNCTION expandcontract.body(before_row text, pulled text, pushed text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format(E'#variable_conflict use_column\nDECLARE\n    v_speaks text;\n    v_new boolean;\n%sBEGIN%s%s    RETURN NEW;\nEND',
        CASE WHEN pushed IS NULL THEN '' ELSE E'    v_value boolean;\n    v_key boolean;\n    v_leads boolean;\n' END,
        E'\n    IF TG_WHEN = ''AFTER'' THEN' || pushed || E'    RETURN NULL;\n    END IF;\n',
        coalesce(before_row, '') || coalesce(E'\n    IF TG_OP = ''INSERT'' THEN' || pulled || E'    END IF;\n', ''))
$$;

CREATE OR REPLACE FUNCTION expandcontract.fires(trigger_name text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN trigger_name LIKE '%moved%' THEN 'AFTER' ELSE 'BEFORE' END || ' '
        || upper(substring(trigger_name, '[a-z]+$'))
$$;

CREATE OR REPLACE FUNCTION expandcontract.fires_when(condition text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('WHEN (current_setting(''expandcontract.backfill'', true) IS DISTINCT FROM ''on'' AND (%s))', condition)
$$;

-- A digest over what our triggers of a table are and run, as the catalogue has them now.
CREATE OR REPLACE FUNCTION expandcontract.sync_digest(relation regclass) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT md5(string_agg(pg_get_triggerdef(t.oid) || p.prosrc || coalesce(p.proconfig::text, '') || p.prosecdef, ''
        ORDER BY t.tgname))
    FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
    WHERE t.tgrelid = relation AND NOT t.tgisinternal AND t.tgname LIKE 'zz\_expandcontract\_%'
$$;
