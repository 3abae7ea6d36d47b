//! What an attempt may use of the machine, and what holds it to that.
//!
//! Control groups hold both limits for all processes together. Where there is none to be had, the limits that the kernel keeps
//! for a user and for a process are better than nothing; the record says that it was only they.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use domain::attempt::Limits;
use rustix::process::{Resource, Rlimit};

use crate::cgroup::{Cgroup, Controller, Held};
use crate::processes;

/// The limits of an attempt, as far as they hold.
#[derive(Default)]
pub(crate) struct Holding {
    /// By a control group, with the sentence for the record when it was felt.
    held: Vec<(Held, String)>,
    /// By the kernel's limits for a user or a process.
    lesser: Vec<(Resource, u64)>,
    /// What does not hold, or not quite.
    pub unenforced: Vec<String>,
}

/// What has to be limited.
pub(crate) fn wanted(limits: &Limits) -> Vec<Controller> {
    let processes = limits.processes.map(|_| Controller::Processes);
    processes.into_iter().chain(limits.memory.map(|_| Controller::Memory)).collect()
}

/// Prepares the limits of the group of this name; [`Holding::bind`] puts them on the shell.
pub(crate) fn prepare(limits: &Limits, name: &str, cgroup: Option<&Cgroup>) -> Holding {
    let mut holding = Holding::default();
    let group = |controller, limit| {
        let by_new = cgroup.and_then(|cgroup| cgroup.hold(controller, limit));
        by_new.or_else(|| Held::old(name, controller, limit))
    };
    if let Some(limit) = limits.processes {
        match group(Controller::Processes, limit.into()) {
            Some(held) => holding.held.push((held, too_many(limit))),
            None => holding.lesser_processes(limit),
        }
    }
    if let Some(limit) = limits.memory {
        match group(Controller::Memory, limit) {
            Some(held) => holding.held.push((held, too_much(limit))),
            None => holding.lesser_memory(limit),
        }
    }
    holding
}

impl Holding {
    /// The kernel counts the processes of a user, on the whole machine, and root without end.
    fn lesser_processes(&mut self, limit: u32) {
        let start = "No control group can limit the processes of the step on this machine";
        if rustix::process::geteuid().is_root() {
            self.unenforced.push(format!(
                "{start}, and it runs as root, for whom there is no other limit: more than {limit} processes are possible."
            ));
            return;
        }
        self.lesser.push((Resource::Nproc, u64::from(limit) + processes::of_user()));
        self.unenforced.push(format!(
            "{start}: {limit} processes are the limit of everything that its user starts from now on, and not of the step alone."
        ));
    }

    /// The kernel counts what each process may write to. What it merely reserves, as some programs do by the gigabyte, is free.
    fn lesser_memory(&mut self, limit: u64) {
        self.lesser.push((Resource::Data, limit));
        self.unenforced.push(format!(
            "No control group can limit the memory of the step on this machine: {limit} bytes are the limit of each of its \
             processes, and not of all together."
        ));
    }

    /// Puts the limits on a program that is about to be started, and on all that it starts.
    pub(crate) fn bind(&self, command: &mut Command) -> io::Result<()> {
        if self.held.is_empty() && self.lesser.is_empty() {
            return Ok(());
        }
        let groups = self.held.iter().map(|(held, _)| held.entrance()).collect::<io::Result<Vec<_>>>()?;
        let lesser = self.lesser.clone();
        let enter = move || {
            for group in groups.iter().flatten() {
                rustix::io::write(group, b"0")?;
            }
            for (resource, limit) in &lesser {
                rustix::process::setrlimit(*resource, Rlimit { current: Some(*limit), maximum: Some(*limit) })?;
            }
            Ok(())
        };
        #[expect(unsafe_code, reason = "only between fork and exec a process can limit itself and nobody else")]
        // SAFETY: the shim has one thread, and these are system calls alone: nothing is allocated.
        unsafe {
            command.pre_exec(enter);
        }
        Ok(())
    }

    /// The limits that were felt, each in a sentence.
    pub(crate) fn felt(&self) -> Vec<String> {
        self.held.iter().filter(|(held, _)| held.felt() > 0).map(|(_, sentence)| sentence.clone()).collect()
    }
}

fn too_many(limit: u32) -> String {
    format!("The step reached its limit of {limit} processes. What it tried to start beyond that was not started.")
}

fn too_much(limit: u64) -> String {
    format!("The step needed more memory than its limit of {limit} bytes. The kernel ended processes of it for that.")
}
