//! Tests of the project's own rules: layers, file sizes, where `unsafe` and backends' names may stand, the threat model.
//!
//! There is no code here: everything is in `tests/it`, one rule per file. Each failure is a sentence that says what to do.
