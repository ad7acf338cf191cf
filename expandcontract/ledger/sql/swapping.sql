-- Columns that trade their names at cut-over. Rules for the next editor:
-- 1. Names, shape, triggers and phase change in one transaction, which the runner owns; nothing here commits.
-- 2. A shape carries the shape that it becomes, under "swapped"; trading the two twice gives the first again.
-- 3. "leads" says whose value counts where a write is silent: the side that has the original name.

-- The expressions of one side once the old and the new column have traded names, as PostgreSQL itself writes them.
CREATE OR REPLACE FUNCTION expandcontract.renamed(mapping jsonb, side text) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_probe text := format('pg_temp.%I', mapping ->> 'table');
    v_item jsonb;
    v_pair record;
    v_check text;
    v_found jsonb := '[]';
BEGIN
    FOR v_item IN SELECT jsonb_array_elements(mapping -> side) LOOP
        EXECUTE format('CREATE TEMP TABLE %I (LIKE %I.%I)', mapping ->> 'table', mapping ->> 'schema', mapping ->> 'table');
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT expandcontract_probe CHECK ((%s) IS NULL)', v_probe, v_item ->> 'sql');
        FOR v_pair IN SELECT * FROM expandcontract.trading(mapping) LOOP
            PERFORM expandcontract.trade_two(v_probe, 'COLUMN', v_pair.old, v_pair.new);
        END LOOP;
        SELECT pg_get_expr(c.conbin, c.conrelid) INTO v_check FROM pg_constraint AS c
        WHERE c.conrelid = v_probe::regclass AND c.conname = 'expandcontract_probe';
        SELECT v_found || jsonb_build_object('column', CASE side WHEN 'reverse' THEN p.new ELSE p.old END,
            'sql', substr(v_check, 2, length(v_check) - length('( IS NULL)')))
        INTO v_found FROM expandcontract.trading(mapping) AS p
        WHERE v_item ->> 'column' = CASE side WHEN 'reverse' THEN p.old ELSE p.new END;
        EXECUTE format('DROP TABLE %s', v_probe);
    END LOOP;
    RETURN v_found;
END $$;

-- Which old column trades names with which new one: the first with the first, and so on.
CREATE OR REPLACE FUNCTION expandcontract.trading(mapping jsonb) RETURNS TABLE (old text, new text)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT o ->> 'column', n ->> 'column'
    FROM ROWS FROM (jsonb_array_elements(mapping -> 'reverse'), jsonb_array_elements(mapping -> 'forward')) AS pairs (o, n)
$$;

-- A shape that carries what it becomes once the names are traded. Both columns of each pair must exist.
CREATE OR REPLACE FUNCTION expandcontract.with_swapped(shape jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_before jsonb := '[]';
    v_after jsonb := '[]';
    v_mapping jsonb;
BEGIN
    FOR v_mapping IN SELECT jsonb_array_elements(shape -> 'mappings') LOOP
        v_before := v_before || (v_mapping || '{"leads": "old"}');
        v_after := v_after || (v_mapping || jsonb_build_object('leads', 'new',
            'forward', expandcontract.renamed(v_mapping, 'forward'), 'reverse', expandcontract.renamed(v_mapping, 'reverse')));
    END LOOP;
    RETURN shape || jsonb_build_object('mappings', v_before,
        'swapped', (shape - 'swapped') || jsonb_build_object('mappings', v_after));
END $$;

CREATE OR REPLACE FUNCTION expandcontract.names_are_traded(name text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(bool_and(m ->> 'leads' = 'new'), false)
    FROM expandcontract.change AS c, jsonb_array_elements(c.shape -> 'mappings') AS m
    WHERE c.name = names_are_traded.name AND c.kind = 'swapped'
$$;

-- The ledger's part of a swap, in the transaction that traded the names: the shape, the triggers and the hold follow.
CREATE OR REPLACE FUNCTION expandcontract.swap(name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_change expandcontract.change := expandcontract.get_change(name);
    v_shape jsonb;
BEGIN
    PERFORM expandcontract.durable();
    IF v_change.kind <> 'swapped' OR NOT v_change.attached THEN
        PERFORM expandcontract.refuse(format('%s has no names to trade', name), 'ec status ' || name);
    ELSIF NOT expandcontract.is_straight() AND (v_change.phase, coalesce(v_change.move, '')) NOT IN (
            ('backfilled', 'cut-over'), ('cut_over', 'roll-back')) THEN
        PERFORM expandcontract.refuse(format('trading the names of %s is refused: it is %s%s', name, v_change.phase,
            coalesce(' with ' || v_change.move || ' in flight', '')), 'ec status ' || name);
    END IF;
    v_shape := (v_change.shape -> 'swapped') || jsonb_build_object('swapped', v_change.shape - 'swapped');
    UPDATE expandcontract.change AS c SET shape = v_shape WHERE c.name = swap.name;
    PERFORM expandcontract.hold(name, v_shape);
    PERFORM expandcontract.sync(v_shape);
    PERFORM expandcontract.journal_append(name, 'names_traded',
        jsonb_build_object('traded', expandcontract.names_are_traded(name)));
END $$;

-- Two columns of a table, or two constraints or indexes, trade names. Takes ACCESS EXCLUSIVE on the table.
CREATE OR REPLACE FUNCTION expandcontract.trade_two(relation text, what text, one text, other text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s RENAME %s %I TO expandcontract_traded', relation, what, one);
    EXECUTE format('ALTER TABLE %s RENAME %s %I TO %I', relation, what, other, one);
    EXECUTE format('ALTER TABLE %s RENAME %s expandcontract_traded TO %I', relation, what, other);
END $$;

-- Since PostgreSQL 18 NOT NULL is a constraint with a name, which trades places too.
CREATE OR REPLACE FUNCTION expandcontract.trade_columns(schema_name text, table_name text, one text, other text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_table text := format('%I.%I', schema_name, table_name);
    v_names text[];
BEGIN
    PERFORM expandcontract.trade_two(v_table, 'COLUMN', one, other);
    SELECT array_agg(c.conname) INTO v_names FROM pg_constraint AS c
    JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.conrelid = v_table::regclass AND c.contype = 'n' AND a.attname IN (one, other);
    IF cardinality(v_names) = 2 THEN
        PERFORM expandcontract.trade_two(v_table, 'CONSTRAINT', v_names[1], v_names[2]);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION expandcontract.trade_constraints(schema_name text, table_name text, one text, other text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM expandcontract.trade_two(format('%I.%I', schema_name, table_name), 'CONSTRAINT', one, other);
END $$;

-- Takes SHARE UPDATE EXCLUSIVE on the indexes.
CREATE OR REPLACE FUNCTION expandcontract.trade_indexes(schema_name text, one text, other text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER INDEX %I.%I RENAME TO expandcontract_traded', schema_name, one);
    EXECUTE format('ALTER INDEX %I.%I RENAME TO %I', schema_name, other, one);
    EXECUTE format('ALTER INDEX %I.expandcontract_traded RENAME TO %I', schema_name, other);
END $$;

-- What numbers the rows goes from one column to another of the same table: an identity, or a sequence behind a default.
-- The sequence keeps its name, position, step and grants; with "retype" it gets the type of the column that it serves.
CREATE OR REPLACE FUNCTION expandcontract.move_numbering(
    schema_name text, table_name text, source text, target text, retype text
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_table text := format('%I.%I', schema_name, table_name);
    v_sequence regclass := pg_get_serial_sequence(v_table, source);
    v_default text;
    v_type text;
    v_identity text;
BEGIN
    SELECT format_type(a.atttypid, a.atttypmod) INTO v_type FROM pg_attribute AS a
    WHERE a.attrelid = v_table::regclass AND a.attname = target AND NOT a.attisdropped;
    SELECT CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END, pg_get_expr(d.adbin, d.adrelid)
    INTO v_identity, v_default
    FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = v_table::regclass AND a.attname = source AND NOT a.attisdropped;
    IF v_identity IS NOT NULL THEN
        PERFORM expandcontract.move_identity(v_table, source, target, v_identity, v_sequence);
        RETURN;
    END IF;
    IF v_sequence IS NOT NULL THEN
        EXECUTE format('ALTER SEQUENCE %s %s OWNED BY %s.%I', v_sequence,
            CASE retype WHEN 'retype' THEN 'AS ' || v_type END, v_table, target);
    END IF;
    EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s, ALTER COLUMN %I DROP DEFAULT',
        v_table, target, v_default, source);
END $$;

-- An identity cannot be handed over: it is dropped with its sequence and made anew at the same position.
CREATE OR REPLACE FUNCTION expandcontract.move_identity(
    relation text, source text, target text, generated text, sequence regclass
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_name text := sequence::text;
    v_kept pg_sequence;
    v_last bigint;
    v_called boolean;
    v_grants text[];
    v_grant text;
    v_limit bigint;
    v_type regtype;
BEGIN
    EXECUTE format('SELECT last_value, is_called FROM %s', sequence) INTO v_last, v_called;
    SELECT * INTO STRICT v_kept FROM pg_sequence AS s WHERE s.seqrelid = sequence;
    SELECT a.atttypid INTO v_type FROM pg_attribute AS a
    WHERE a.attrelid = relation::regclass AND a.attname = target AND NOT a.attisdropped;
    v_limit := expandcontract.largest(v_type);
    IF v_kept.seqmax <> expandcontract.largest(v_kept.seqtypid) THEN
        v_limit := least(v_kept.seqmax, v_limit);
    END IF;
    SELECT array_agg(format('GRANT %s ON SEQUENCE %s TO %s%s', g.privilege_type, v_name,
        CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
        CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)) INTO v_grants
    FROM pg_class AS c, aclexplode(c.relacl) AS g WHERE c.oid = sequence AND g.grantee <> c.relowner;
    EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP IDENTITY', relation, source);
    EXECUTE format('ALTER TABLE %s ALTER COLUMN %I ADD GENERATED %s AS IDENTITY (SEQUENCE NAME %s '
        'INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s)', relation, target, generated, v_name,
        v_kept.seqincrement, v_kept.seqmin, v_limit, v_kept.seqstart, v_kept.seqcache,
        CASE WHEN v_kept.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END);
    PERFORM setval(v_name::regclass, v_last, v_called);
    FOREACH v_grant IN ARRAY coalesce(v_grants, '{}') LOOP
        EXECUTE v_grant;
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION expandcontract.largest(kind regtype) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE kind WHEN 'smallint'::regtype THEN 32767 WHEN 'integer'::regtype THEN 2147483647
        ELSE 9223372036854775807 END
$$;
