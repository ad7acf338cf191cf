"""What a plain migration would run for the same end as each case of ``tests/compat``: one per recipe."""

from __future__ import annotations

PLAIN = {
    "users_nick": "ALTER TABLE users ADD COLUMN nick text",
    "users_display_name": "ALTER TABLE users RENAME COLUMN full_name TO display_name",
    "orders_state_default": "ALTER TABLE orders ALTER COLUMN state SET DEFAULT 'queued'",
    "users_nick_nullable": "ALTER TABLE users ALTER COLUMN nick DROP NOT NULL",
    "ix_users_nick": "CREATE INDEX ix_users_nick ON users (nick)",
    "drop_users_nick_key": "DROP INDEX users_nick_key",
    "drop_check": 'ALTER TABLE member DROP CONSTRAINT "Nick %s :x"',
    "orders_paid": "ALTER TYPE status RENAME VALUE 'payd' TO 'paid'",
    "greet_everybody": "CREATE FUNCTION greet_all() RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$",
    "users_nick_not_null": "UPDATE users SET nick = 'x' WHERE nick IS NULL; ALTER TABLE users ALTER nick SET NOT NULL",
    "price_amount": "UPDATE price SET amount = abs(amount); ALTER TABLE price ADD CHECK (amount >= 0)",
    "member_email": "ALTER TABLE member ADD UNIQUE (email, team)",
    "member_team": "ALTER TABLE member ADD FOREIGN KEY (team) REFERENCES team ON DELETE CASCADE",
    "drop_users_nick": "ALTER TABLE users DROP COLUMN nick",
    "drop_badge": "DROP TABLE badge",
    "users_to_accounts": "ALTER TABLE users RENAME TO accounts",
    "visit_number": "ALTER TABLE visit ALTER COLUMN number TYPE bigint",
    "parts_amount_bigint": "ALTER TABLE parts ALTER COLUMN amount TYPE bigint",
    "person_names": "ALTER TABLE person ADD first_name text, ADD last_name text; "
    "UPDATE person SET first_name = full_name; ALTER TABLE person DROP COLUMN full_name",
    "person_place": "ALTER TABLE person ADD place text; UPDATE person SET place = 'x'; "
    "ALTER TABLE person DROP zip, DROP city",
    "users_bio_to_profiles": "ALTER TABLE profiles ADD bio text, ADD motto varchar(40); "
    "UPDATE profiles SET bio = (SELECT bio FROM users WHERE id = user_id); ALTER TABLE users DROP bio, DROP motto",
    "users_id_bigint": "ALTER TABLE users ALTER COLUMN id TYPE bigint",
}
