-- Version 3: a change has a kind, and a shape of several mappings, fills and removals in place of one mapping.
ALTER TABLE expandcontract.change ADD COLUMN kind text NOT NULL DEFAULT 'mapped'
    CHECK (kind IN ('mapped', 'swapped', 'filled', 'additive', 'tightened', 'removed'));
ALTER TABLE expandcontract.change ADD COLUMN shape jsonb;

UPDATE expandcontract.change SET
    kind = CASE WHEN mapping IS NULL THEN 'additive' ELSE 'mapped' END,
    shape = jsonb_build_object('mappings', mappings, 'fills', '[]'::jsonb, 'removes', '[]'::jsonb, 'holds', coalesce((
        SELECT jsonb_agg(jsonb_build_object('schema', m -> 'schema', 'table', m -> 'table', 'columns', (
            SELECT jsonb_agg(item -> 'column' ORDER BY side, position)
            FROM (VALUES (1, m -> 'reverse'), (2, m -> 'forward')) AS sides (side, items),
                 jsonb_array_elements(items) WITH ORDINALITY AS parts (item, position))))
        FROM jsonb_array_elements(mappings) AS m), '[]'))
FROM (SELECT name AS of, CASE WHEN mapping IS NULL THEN '[]' ELSE jsonb_build_array(mapping) END AS mappings
      FROM expandcontract.change) AS old
WHERE name = old.of;

ALTER TABLE expandcontract.change DROP COLUMN mapping;
DROP FUNCTION IF EXISTS expandcontract.begin_change(text, jsonb);
DROP FUNCTION IF EXISTS expandcontract.hold(text, jsonb);
DROP FUNCTION IF EXISTS expandcontract.columns_of(jsonb);
DROP FUNCTION IF EXISTS expandcontract.revision_applied(text, text, text);
