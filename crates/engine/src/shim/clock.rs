//! The shim's clock. It is a process of its own: nobody can inject one.

use rustix::time::{ClockId, clock_gettime};

/// Wall clock, milliseconds since 1970.
pub(crate) fn now() -> i64 {
    let time = clock_gettime(ClockId::Realtime);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}
