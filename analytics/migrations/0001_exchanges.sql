-- One row per exchange, filled from the ledger in sequence order. No column can hold prompt text.
-- Partitioned by month so that retention drops whole parts; ordered by sequence so that the
-- shipper's `max(seq)` and drill-downs by record read almost nothing.
CREATE TABLE IF NOT EXISTS exchanges
(
    seq                    UInt64                       CODEC(Delta, ZSTD),
    exchange               UUID,
    started                DateTime64(6, 'UTC')         CODEC(Delta, ZSTD),
    caller                 LowCardinality(String),
    team                   LowCardinality(String),
    wire                   LowCardinality(String),
    operation              LowCardinality(String),
    stream                 Bool,
    model                  LowCardinality(String),
    -- route: all empty / false when the exchange went nowhere
    endpoint               LowCardinality(String),
    jurisdiction           LowCardinality(String),
    transfer_basis         LowCardinality(String),
    on_prem                Bool,
    simulated              Bool,
    -- decision
    effect                 LowCardinality(String),
    rule                   LowCardinality(String),
    reason                 LowCardinality(String),
    policy                 LowCardinality(String),
    -- entity label -> number of findings
    findings               Map(LowCardinality(String), UInt32),
    replaced               UInt32,
    restored               UInt32,
    outcome                LowCardinality(String),
    error                  LowCardinality(String),
    status                 UInt16,
    request_bytes          UInt64                       CODEC(T64, ZSTD),
    upstream_bytes         UInt64                       CODEC(T64, ZSTD),
    response_bytes         UInt64                       CODEC(T64, ZSTD),
    -- usage: zeros mean nothing unless usage_known
    usage_known            Bool,
    usage_estimated        Bool,
    input_tokens           UInt64                       CODEC(T64, ZSTD),
    cache_read_tokens      UInt64                       CODEC(T64, ZSTD),
    cache_write_tokens     UInt64                       CODEC(T64, ZSTD),
    output_tokens          UInt64                       CODEC(T64, ZSTD),
    reasoning_tokens       UInt64                       CODEC(T64, ZSTD),
    -- cost: cost_nano_usd means something only where cost_standing = 'priced'
    cost_standing          LowCardinality(String),
    cost_nano_usd          Int64                        CODEC(T64, ZSTD),
    price                  LowCardinality(String),
    cost_missing           LowCardinality(String),
    total_us               UInt64                       CODEC(T64, ZSTD),
    gate_us                UInt64                       CODEC(T64, ZSTD),
    inspect_cpu_us         UInt64                       CODEC(T64, ZSTD),
    upstream_first_byte_us UInt64                       CODEC(T64, ZSTD)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(started)
ORDER BY seq
