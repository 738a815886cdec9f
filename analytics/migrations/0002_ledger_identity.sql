-- One row: the hash of record 0 of the ledger that `exchanges` is filled from. A store never
-- mixes two ledgers.
CREATE TABLE IF NOT EXISTS ledger_identity
(
    id String
)
ENGINE = MergeTree
ORDER BY id
