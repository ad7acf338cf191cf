-- Whether what guards the open changes is still there as it was left.

-- What is missing or altered of the holds and triggers of every open change; no row where all is as left.
CREATE OR REPLACE FUNCTION expandcontract.integrity() RETURNS TABLE (change text, what text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_change record;
    v_held record;
    v_table regclass;
    v_hold regclass;
    v_missing text;
    v_place jsonb;
BEGIN
    FOR v_change IN
        SELECT c.name, c.shape, c.attached FROM expandcontract.change AS c
        WHERE c.attached OR (c.shape -> 'holds' <> '[]' AND c.phase NOT IN ('planned', 'contracted')) ORDER BY c.name
    LOOP
        v_hold := to_regclass(format('expandcontract.%I', 'hold_' || v_change.name));
        change := v_change.name;
        IF v_hold IS NULL AND v_change.shape -> 'holds' <> '[]' THEN
            what := format('hold expandcontract.hold_%s is missing', v_change.name);
            RETURN NEXT;
        END IF;
        FOR v_held IN SELECT * FROM expandcontract.holds(v_change.shape) LOOP
            v_table := to_regclass(format('%I.%I', v_held.schema_name, v_held.table_name));
            IF v_table IS NULL THEN
                what := format('table %s.%s is gone or renamed', v_held.schema_name, v_held.table_name);
                RETURN NEXT;
                CONTINUE;
            END IF;
            SELECT string_agg(c, ', ') INTO v_missing FROM unnest(v_held.columns) AS c
            WHERE NOT EXISTS (SELECT FROM pg_attribute AS a
                              WHERE a.attrelid = v_table AND a.attname = c AND NOT a.attisdropped);
            IF v_missing IS NOT NULL THEN
                what := format('column %s of %s is gone or renamed', v_missing, v_table);
                RETURN NEXT;
            END IF;
            SELECT string_agg(c, ', ') INTO v_missing FROM unnest(v_held.columns) AS c
            WHERE NOT EXISTS (
                SELECT FROM pg_rewrite AS r
                JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                WHERE r.ev_class = v_hold AND d.refclassid = 'pg_class'::regclass AND d.refobjid = v_table
                  AND a.attname = c);
            IF v_hold IS NOT NULL AND v_missing IS NOT NULL THEN
                what := format('hold expandcontract.hold_%s does not hold %s', v_change.name, v_missing);
                RETURN NEXT;
            END IF;
        END LOOP;
        FOR v_place IN SELECT p FROM expandcontract.synced_tables(v_change.shape) AS p LOOP
            v_table := to_regclass(format('%I.%I', v_place ->> 'schema', v_place ->> 'table'));
            IF v_table IS NOT NULL THEN
                RETURN QUERY SELECT v_change.name, w FROM expandcontract.trigger_faults(v_table, v_place) AS w;
            END IF;
        END LOOP;
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION expandcontract.trigger_faults(relation regclass, mapping jsonb) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('trigger %s of %s is %s', n.name, relation, CASE
        WHEN t.oid IS NULL THEN 'missing' WHEN t.tgenabled = 'D' THEN 'disabled' ELSE 'enabled for replicas only' END)
    FROM expandcontract.trigger_names(mapping ->> 'schema', mapping ->> 'table') AS n (name)
    LEFT JOIN pg_trigger AS t ON t.tgrelid = relation AND t.tgname = n.name
    WHERE t.oid IS NULL OR t.tgenabled NOT IN ('O', 'A')
    UNION ALL
    SELECT format('the triggers of %s or their function are not as they were left', relation)
    WHERE NOT EXISTS (
        SELECT FROM expandcontract.synced AS s
        WHERE s.schema_name = mapping ->> 'schema' AND s.table_name = mapping ->> 'table'
          AND s.digest IS NOT DISTINCT FROM expandcontract.sync_digest(relation))
      AND NOT EXISTS (
        SELECT FROM expandcontract.trigger_names(mapping ->> 'schema', mapping ->> 'table') AS n (name)
        WHERE NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = relation AND t.tgname = n.name))
    UNION ALL
    SELECT format('column %s of %s, by which %s finds its rows, is gone or renamed', k ->> e.side, relation, e.change)
    FROM expandcontract.transfers_of(mapping ->> 'schema', mapping ->> 'table') AS e,
        jsonb_array_elements(e.transfer -> 'key') AS k
    WHERE NOT EXISTS (SELECT FROM pg_attribute AS a
                      WHERE a.attrelid = relation AND a.attname = k ->> e.side AND NOT a.attisdropped)
    UNION ALL
    SELECT format('trigger %s of %s fires after ours and could undo it', t.tgname, relation)
    FROM pg_trigger AS t
    WHERE t.tgrelid = relation AND NOT t.tgisinternal AND t.tgtype & 3 = 3 AND t.tgtype & 20 <> 0
      AND t.tgname > 'zz_expandcontract_update' AND t.tgenabled <> 'D'
$$;
