//! The store, its schema and the way into it, on the real engine. Every engine runs in a child
//! process (this binary again, see `child`), because it takes one data directory per process and
//! some of these tests kill it.

mod child;
mod crash;
mod http;
mod records;
mod refusals;
mod rows;
mod ship;
