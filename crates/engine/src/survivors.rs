//! What a dead shim has left behind: found by the token that every process of the attempt carries.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::cgroup;
use crate::processes::{self, Process};
use crate::shim::cgroup_name;
use crate::shim::shell::TOKEN_VARIABLE;

/// Longer than that nothing needs to die, unless the kernel holds it.
const LIMIT: Duration = Duration::from_secs(2);
/// Between two looks at what is dying.
const PAUSE: Duration = Duration::from_millis(1);

/// The processes of the attempt with this token that live, by name. When there are none, their control groups are removed: a
/// dead shim cannot do that itself.
pub(crate) fn survivors(token: &str) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let left = find(token);
        if !left.is_empty() || cgroup::remove_left_behind(&cgroup_name(token)) || begun.elapsed() > LIMIT {
            return left.iter().map(Process::title).collect();
        }
        std::thread::sleep(PAUSE);
    }
}

/// Kills them, and names those that cannot be killed.
pub(crate) fn stop(token: &str) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let left = find(token);
        // What was killed leaves its group a moment after it has left the list of processes.
        if left.is_empty() && cgroup::remove_left_behind(&cgroup_name(token)) {
            return Vec::new();
        }
        if begun.elapsed() > LIMIT {
            return left.iter().map(Process::title).collect();
        }
        for process in &left {
            processes::signal_if(process.pid, Signal::KILL, || belongs(process.pid, token));
        }
        std::thread::sleep(PAUSE);
    }
}

fn find(token: &str) -> Vec<Process> {
    processes::all().filter(|pid| belongs(*pid, token)).filter_map(Process::look).collect()
}

/// By its environment, or, should it have thrown that away, by its control group.
fn belongs(pid: Pid, token: &str) -> bool {
    let entry = format!("{TOKEN_VARIABLE}={token}");
    let environment = fs::read(processes::proc_path(pid, "environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| variable == entry.as_bytes())
        || cgroup::holds(pid, &cgroup_name(token))
}
