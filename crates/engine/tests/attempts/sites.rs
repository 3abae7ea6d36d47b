//! The same test at every kind of target: here, over ssh, in a container.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::target::Reach;
use engine::Ladder;
use tempfile::TempDir;
use testkit::rig::{Contained, Image, Sshd};

use crate::harness::{Place, USUAL_LADDER};

/// Makes a test of each body for every kind of target. A body is an `async fn` that takes a `&Site`.
macro_rules! at_every_target {
    ($($body:ident),* $(,)?) => {$(
        mod $body {
            use crate::sites::Site;

            #[tokio::test(flavor = "multi_thread")]
            async fn local() {
                super::$body(&Site::local()).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn ssh() {
                if let Some(site) = Site::ssh() {
                    super::$body(&site).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn container() {
                if let Some(site) = Site::container() {
                    super::$body(&site).await;
                }
            }
        }
    )*};
}

/// A target, and what stands there. All of them see the folders of their places under the same names.
pub struct Site {
    reach: Reach,
    /// The shim, or what stands before it.
    shim: PathBuf,
    folder: TempDir,
    rig: Rig,
}

enum Rig {
    Nothing,
    Sshd(Sshd),
    Contained { _it: Contained },
}

pub const SHIM: &str = env!("CARGO_BIN_EXE_portal-shim");

impl Site {
    pub fn local() -> Self {
        Self::new(TempDir::new().unwrap(), Reach::Local, SHIM.into(), Rig::Nothing)
    }

    pub fn ssh() -> Option<Self> {
        let sshd = Sshd::start()?;
        Some(Self::new(TempDir::new().unwrap(), Reach::Ssh(sshd.target()), SHIM.into(), Rig::Sshd(sshd)))
    }

    pub fn container() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let contained = Contained::start(Image::Host, &[folder.path()])?;
        let shim = before_shim(folder.path(), &format!("export DOCKER_HOST='{}'", contained.engine().host()));
        Some(Self::new(folder, Reach::Container(contained.target()), shim, Rig::Contained { _it: contained }))
    }

    fn new(folder: TempDir, reach: Reach, shim: PathBuf, rig: Rig) -> Self {
        Self { reach, shim, folder, rig }
    }

    /// What the server at the target has logged.
    pub fn log(&self) -> String {
        match &self.rig {
            Rig::Sshd(sshd) => sshd.log(),
            Rig::Nothing | Rig::Contained { .. } => String::new(),
        }
    }

    /// A place for attempts at this target.
    pub fn place(&self) -> Place {
        self.place_with(self.ladder())
    }

    /// The rungs of stopping: no shorter than the way there.
    pub fn ladder(&self) -> Ladder {
        match self.rig {
            Rig::Nothing => USUAL_LADDER,
            Rig::Sshd(_) | Rig::Contained { .. } => Ladder { interrupt_ms: 1_500, terminate_ms: 1_500, held_ms: 1_500 },
        }
    }

    /// What the way there may cost, several times, on a machine that does ten other things besides.
    pub fn way(&self) -> Duration {
        Duration::from_secs(if self.reach.is_local() { 0 } else { 5 })
    }

    /// A place for attempts at another target, by the same way.
    pub fn place_of(&self, reach: Reach) -> Place {
        Place::at(reach, TempDir::new_in(self.folder.path()).unwrap(), self.shim.clone(), self.ladder())
    }

    pub fn place_with(&self, ladder: Ladder) -> Place {
        Place::at(self.reach.clone(), TempDir::new_in(self.folder.path()).unwrap(), self.shim.clone(), ladder)
    }
}

/// A script that does something and becomes the shim.
pub fn before_shim(folder: &Path, before: &str) -> PathBuf {
    let script = folder.join("before");
    std::fs::write(&script, format!("#!/bin/sh\n{before}\nexec '{SHIM}' \"$@\"\n")).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    script
}
