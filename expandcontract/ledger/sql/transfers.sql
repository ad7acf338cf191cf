-- Columns that move to another table: what the triggers of the two tables do. Rules for the next editor:
-- 1. Each trigger has its own row locked before it can do anything, so the other row is always the second lock. Two
--    writers that come from both sides at once would wait for each other: PostgreSQL ends one of them, which is told.
--    Nothing may be done to avoid that which lets one commit without the other row (see docs/decisions).
-- 2. The other row is read under its lock, and what is written is computed from the own row, which is locked too.
-- 3. A trigger acts only while its row is as the event left it; if not, a later event speaks for it.
-- 4. A target row that is missing is made only where that was asked for, and never for a release that makes its own.
-- 5. What a trigger writes into the other table is not sent back: the setting expandcontract.moving names its change.
--    It only loosens what counts as equal; whatever else happens to the other row meanwhile is carried over as ever.

-- One side of a transfer as pieces of SQL: this table is "own", the one at the other end "other".
CREATE OR REPLACE FUNCTION expandcontract.side(transfer jsonb, side text) RETURNS TABLE (
    own text, other text, own_name text, other_name text, own_side jsonb, other_side jsonb, own_keys text[],
    other_keys text[]
)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('%I.%I', mine ->> 'schema', mine ->> 'table'), format('%I.%I', theirs ->> 'schema', theirs ->> 'table'),
        mine ->> 'table', theirs ->> 'table',
        transfer -> CASE side WHEN 'target' THEN 'forward' ELSE 'reverse' END,
        transfer -> CASE side WHEN 'target' THEN 'reverse' ELSE 'forward' END,
        ARRAY(SELECT k ->> side FROM jsonb_array_elements(transfer -> 'key') WITH ORDINALITY AS e (k, n) ORDER BY n),
        ARRAY(SELECT k ->> CASE side WHEN 'target' THEN 'source' ELSE 'target' END
              FROM jsonb_array_elements(transfer -> 'key') WITH ORDINALITY AS e (k, n) ORDER BY n)
    FROM (SELECT transfer -> side AS mine,
                 transfer -> CASE side WHEN 'target' THEN 'source' ELSE 'target' END AS theirs) AS sides
$$;

-- "left.a = right.b AND …" over two lists of columns.
CREATE OR REPLACE FUNCTION expandcontract.matched(left_row text, left_keys text[], right_row text, right_keys text[])
RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(format('%s.%s = %s.%s', left_row, expandcontract.quoted(l), right_row, expandcontract.quoted(r)), ' AND ' ORDER BY n)
    FROM unnest(left_keys, right_keys) WITH ORDINALITY AS k (l, r, n)
$$;

-- Two rows' columns of one side compared, joined by what is given: ' AND ' of IS NOT DISTINCT, ' OR ' of IS DISTINCT.
CREATE OR REPLACE FUNCTION expandcontract.compared(
    relation regclass, side jsonb, left_row text, operator text, right_row text, joint text
) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT '(' || string_agg(format('%1$s.%2$s%3$s %4$s %5$s.%2$s%3$s', left_row, expandcontract.quoted(item ->> 'column'),
        expandcontract.comparable(relation, item ->> 'column'), operator, right_row), joint) || ')'
    FROM jsonb_array_elements(side) AS item
$$;

-- Whether all of one side's columns are NULL in a row.
CREATE OR REPLACE FUNCTION expandcontract.all_null(side jsonb, row_name text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT '(' || string_agg(format('%s.%s IS NULL', row_name, expandcontract.quoted(item ->> 'column')), ' AND ') || ')'
    FROM jsonb_array_elements(side) AS item
$$;

-- The assignment of one side's expressions, over the other side's columns in "from_row", to "to_row".
CREATE OR REPLACE FUNCTION expandcontract.computed(side jsonb, to_row text, given jsonb, from_row text, from_name text)
RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('SELECT %s INTO %s FROM (SELECT %s) AS %I',
        string_agg('(' || (item ->> 'sql') || ')', ', ' ORDER BY n),
        string_agg(format('%s.%s', to_row, expandcontract.quoted(item ->> 'column')), ', ' ORDER BY n),
        (SELECT string_agg(format('%1$s.%2$s AS %2$s', from_row, expandcontract.quoted(g ->> 'column')), ', ')
         FROM jsonb_array_elements(given) AS g),
        from_name)
    FROM jsonb_array_elements(side) WITH ORDINALITY AS e (item, n)
$$;

-- The other side's row for "row_name", read under its lock: nobody changes it until this transaction ends.
CREATE OR REPLACE FUNCTION expandcontract.there(transfer jsonb, side text, row_name text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('SELECT %s INTO %s FROM %s AS o WHERE %s FOR NO KEY UPDATE',
        string_agg('o.' || expandcontract.quoted(item ->> 'column'), ', ' ORDER BY n),
        string_agg('v_there.' || expandcontract.quoted(item ->> 'column'), ', ' ORDER BY n),
        s.other, expandcontract.matched('o', s.other_keys, row_name, s.own_keys))
    FROM expandcontract.side(transfer, side) AS s, jsonb_array_elements(s.other_side) WITH ORDINALITY AS e (item, n)
    GROUP BY s.other, s.other_keys, s.own_keys
$$;

-- One row of a table set to what a variable holds, where it differs.
CREATE OR REPLACE FUNCTION expandcontract.put(relation text, side jsonb, keys text[], variable text, row_keys text[])
RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('UPDATE %s AS o SET %s WHERE %s AND %s', relation,
        string_agg(format('%1$s = %2$s.%1$s', expandcontract.quoted(item ->> 'column'), variable), ', '),
        expandcontract.matched('o', keys, 'NEW', row_keys),
        expandcontract.compared(relation::regclass, side, 'o', 'IS DISTINCT FROM', variable, ' OR '))
    FROM jsonb_array_elements(side) AS item
$$;

-- Whether an update gave a row another key.
CREATE OR REPLACE FUNCTION expandcontract.key_changed(keys text[]) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT '(' || string_agg(format('NEW.%1$s IS DISTINCT FROM OLD.%1$s', expandcontract.quoted(k)), ' OR ') || ')'
    FROM unnest(keys) AS k
$$;

-- Before a row is inserted that has no value: it takes the one that the other table has for its key.
CREATE OR REPLACE FUNCTION expandcontract.pull_block(transfer jsonb, side text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format($block$
    DECLARE
        v_there %1$s%%ROWTYPE;
    BEGIN
        IF NOT (%2$s) THEN
            %3$s;
            IF FOUND AND NOT %4$s THEN
                %5$s;
            END IF;
        END IF;
    END;
$block$, s.other,
        (SELECT string_agg(expandcontract.given(s.own::regclass, item ->> 'column'), ' OR ')
         FROM jsonb_array_elements(s.own_side) AS item),
        expandcontract.there(transfer, side, 'NEW'), expandcontract.all_null(s.other_side, 'v_there'),
        expandcontract.computed(s.own_side, 'NEW', s.other_side, 'v_there', s.other_name))
    FROM expandcontract.side(transfer, side) AS s
$$;

-- After a row of either table was written: the other one's is given the value, or this one takes that one's.
CREATE OR REPLACE FUNCTION expandcontract.push_block(change text, transfer jsonb, side text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format($block$
    DECLARE
        v_there %1$s%%ROWTYPE;
        v_other %1$s%%ROWTYPE;
        v_own %2$s%%ROWTYPE;
        v_moving text := pg_catalog.current_setting('expandcontract.moving', true);
        v_moved boolean := coalesce(v_moving = %3$L, false);
    BEGIN
        v_speaks := pg_catalog.substring(
            pg_catalog.current_setting('expandcontract.speaks', true), '(?:^|[, ])%3$s=(old|dual|new)(?:[, ]|$)');
        v_leads := %4$s;
        v_value := CASE TG_OP WHEN 'INSERT' THEN %5$s WHEN 'UPDATE' THEN %6$s ELSE false END;
        v_key := CASE TG_OP WHEN 'UPDATE' THEN %7$s ELSE false END;
        PERFORM pg_catalog.set_config('expandcontract.moving', %3$L, true);%8$s
        IF v_value OR v_key THEN
            PERFORM FROM %2$s AS o WHERE %9$s AND %10$s;
            IF FOUND THEN
                %11$s;
                IF FOUND THEN
                    %12$s;
                    %13$s;
                    IF NOT %14$s AND NOT ((v_moved OR TG_OP = 'INSERT') AND %15$s) THEN
                        IF v_value AND NOT v_key AND NOT v_moved AND TG_OP = 'UPDATE' AND NOT %16$s THEN
                            %17$s;
                            IF NOT %14$s AND NOT %18$s THEN
                                -- the other row is not what this one was before: one statement wrote both
                                v_value := v_leads;
                                INSERT INTO expandcontract.conflict (change, won)
                                VALUES (%3$L, CASE WHEN v_speaks IS NOT DISTINCT FROM 'new' THEN 'new' ELSE 'old' END);
                            END IF;
                            %12$s;
                        END IF;
                        IF v_value OR v_leads THEN
                            %19$s;
                        ELSE
                            %20$s;
                        END IF;
                    END IF;%21$s
                END IF;
            END IF;
        END IF;
        PERFORM pg_catalog.set_config('expandcontract.moving', coalesce(v_moving, ''), true);
    END;
$block$, s.other, s.own, change,
        CASE side WHEN 'target' THEN 'v_speaks IS NOT DISTINCT FROM ''new''' ELSE 'v_speaks IS DISTINCT FROM ''new''' END,
        (SELECT string_agg(expandcontract.given(s.own::regclass, item ->> 'column'), ' OR ')
         FROM jsonb_array_elements(s.own_side) AS item),
        expandcontract.compared(s.own::regclass, s.own_side, 'NEW', 'IS DISTINCT FROM', 'OLD', ' OR '),
        expandcontract.key_changed(s.own_keys),
        CASE side WHEN 'target' THEN format($block$
        IF v_leads AND (v_key OR TG_OP = 'DELETE') THEN
            UPDATE %1$s AS o SET %2$s WHERE %3$s;
        END IF;$block$, s.other,
            (SELECT string_agg(format('%I = DEFAULT', item ->> 'column'), ', ') FROM jsonb_array_elements(s.other_side) AS item),
            expandcontract.matched('o', s.other_keys, 'OLD', s.own_keys)) ELSE '' END,
        expandcontract.matched('o', s.own_keys, 'NEW', s.own_keys),
        expandcontract.compared(s.own::regclass, s.own_side, 'o', 'IS NOT DISTINCT FROM', 'NEW', ' AND '),
        expandcontract.there(transfer, side, 'NEW'),
        expandcontract.computed(s.other_side, 'v_other', s.own_side, 'NEW', s.own_name),
        expandcontract.computed(s.own_side, 'v_own', s.other_side, 'v_there', s.other_name),
        expandcontract.compared(s.other::regclass, s.other_side, 'v_there', 'IS NOT DISTINCT FROM', 'v_other', ' AND '),
        expandcontract.compared(s.own::regclass, s.own_side, 'NEW', 'IS NOT DISTINCT FROM', 'v_own', ' AND '),
        -- a new shape that is empty is not filled yet, and no other value
        CASE side WHEN 'target' THEN expandcontract.all_null(s.own_side, 'OLD')
            ELSE expandcontract.all_null(s.other_side, 'v_there') END,
        expandcontract.computed(s.other_side, 'v_other', s.own_side, 'OLD', s.own_name),
        expandcontract.compared(s.own::regclass, s.own_side, 'OLD', 'IS NOT DISTINCT FROM', 'v_own', ' AND '),
        expandcontract.put(s.other, s.other_side, s.other_keys, 'v_other', s.own_keys),
        expandcontract.put(s.own, s.own_side, s.own_keys, 'v_own', s.own_keys),
        CASE WHEN side = 'source' AND (transfer ->> 'create_missing')::boolean THEN format($block$
                ELSIF v_value AND v_speaks IS DISTINCT FROM 'dual' AND v_speaks IS DISTINCT FROM 'new' THEN
                    %1$s;
                    IF NOT %2$s THEN
                        INSERT INTO %3$s (%4$s) VALUES (%5$s) ON CONFLICT DO NOTHING;
                    END IF;$block$,
            expandcontract.computed(s.other_side, 'v_other', s.own_side, 'NEW', s.own_name),
            expandcontract.all_null(s.other_side, 'v_other'), s.other,
            (SELECT string_agg(quote_ident(k), ', ' ORDER BY n) FROM unnest(s.other_keys) WITH ORDINALITY AS e (k, n)),
            (SELECT string_agg('NEW.' || expandcontract.quoted(k), ', ' ORDER BY n) FROM unnest(s.own_keys) WITH ORDINALITY AS e (k, n)))
            ELSE '' END)
    FROM expandcontract.side(transfer, side) AS s
$$;

-- When a transfer has anything to do on UPDATE; the trigger's WHEN.
CREATE OR REPLACE FUNCTION expandcontract.moves(transfer jsonb, side text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('(%s OR %s)', expandcontract.key_changed(s.own_keys),
        expandcontract.compared(s.own::regclass, s.own_side, 'NEW', 'IS DISTINCT FROM', 'OLD', ' OR '))
    FROM expandcontract.side(transfer, side) AS s
$$;

-- Fills the target in one statement, where nothing old can be running; its triggers are told of the backfill.
CREATE OR REPLACE FUNCTION expandcontract.transfer_straight(transfer jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_side record;
    v_values text;
    v_some text;
BEGIN
    SELECT * INTO STRICT v_side FROM expandcontract.side(transfer, 'target');
    SELECT string_agg(format('(%s) AS %I', item ->> 'sql', item ->> 'column'), ', '),
           string_agg(format('(%s) IS NOT NULL', item ->> 'sql'), ' OR ')
    INTO v_values, v_some FROM jsonb_array_elements(v_side.own_side) AS item;
    IF (transfer ->> 'create_missing')::boolean THEN
        EXECUTE format('INSERT INTO %s (%s) SELECT %s FROM %s AS %I WHERE (%s) ON CONFLICT DO NOTHING', v_side.own,
            (SELECT string_agg(quote_ident(k), ', ') FROM unnest(v_side.own_keys) AS k),
            (SELECT string_agg(format('%I.%I', v_side.other_name, k), ', ') FROM unnest(v_side.other_keys) AS k),
            v_side.other, v_side.other_name, v_some);
    END IF;
    EXECUTE format('UPDATE %s AS expandcontract_target SET %s FROM (SELECT %s, %s FROM %s AS %I) AS given WHERE %s AND %s',
        v_side.own,
        (SELECT string_agg(format('%1$I = given.%1$I', item ->> 'column'), ', ') FROM jsonb_array_elements(v_side.own_side) AS item),
        (SELECT string_agg(format('%I.%I AS %I', v_side.other_name, k, 'expandcontract_key' || n), ', ')
         FROM unnest(v_side.other_keys) WITH ORDINALITY AS e (k, n)),
        v_values, v_side.other, v_side.other_name,
        (SELECT string_agg(format('expandcontract_target.%I = given.%I', k, 'expandcontract_key' || n), ' AND ')
         FROM unnest(v_side.own_keys) WITH ORDINALITY AS e (k, n)),
        expandcontract.all_null(v_side.own_side, 'expandcontract_target'));
END $$;
