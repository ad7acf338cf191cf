-- name: installation
INSERT INTO expandcontract.installation (version) VALUES (:version);

-- name: journal
INSERT INTO expandcontract.journal_head (seq, hash) VALUES (0, '');

-- name: generation
SELECT setval('expandcontract.generation', :last);

-- name: serious
UPDATE expandcontract.installation SET development = false, fresh = NULL;
