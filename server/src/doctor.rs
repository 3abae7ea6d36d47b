//! The command `doctor`: looks at every target and at the identity provider, or at the way from outside, and says what is missing there. Nothing is started,
//! nothing is written.

mod outside;

use std::fmt::Write as _;
use std::process::ExitCode;

use domain::time::Clock as _;
use portal::{Checkup, Doctor, Health, SystemClock, TargetSettings};

use crate::cli::PlaceArguments;
use crate::oidc::Provider;
use crate::{complain, load, print};

/// Something has to be done first.
const UNFIT: u8 = 1;

/// Nobody could look.
const BLIND: u8 = 2;

/// Looks at the targets that are named, or at all.
pub fn run(named: &[String], place: PlaceArguments) -> ExitCode {
    say(examined(named, place))
}

/// Looks at the portal as people reach it.
pub fn run_from_outside(place: PlaceArguments) -> ExitCode {
    say(examined_from_outside(place))
}

fn say(examined: Result<Vec<Checkup>, String>) -> ExitCode {
    match examined {
        Ok(checkups) => {
            print(&checkups.iter().map(told).collect::<Vec<_>>().join("\n"));
            if checkups.iter().all(Checkup::is_fit) { ExitCode::SUCCESS } else { ExitCode::from(UNFIT) }
        }
        Err(sentence) => {
            complain(&sentence);
            ExitCode::from(BLIND)
        }
    }
}

fn examined(named: &[String], place: PlaceArguments) -> Result<Vec<Checkup>, String> {
    let blind = |error: std::io::Error| format!("Nobody can look from here: {error}. Nothing was examined");
    let config = load(&place.into())?;
    let provider = config.identity.oidc.filter(|_| named.is_empty()).map(Provider::new);
    let targets = chosen(config.targets, named)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(blind)?;
    let examined = runtime.block_on(async {
        let doctor = Doctor::new("/proc/self/exe".into())?;
        // Side by side: a machine that is away takes ten seconds to say so.
        let looks = targets.iter().map(|target| doctor.examine(target, SystemClock.now()));
        let mut checkups = futures::future::join_all(looks).await;
        if let Some(provider) = &provider {
            checkups.push(examined_provider(provider).await);
        }
        Ok(checkups)
    });
    examined.map_err(blind)
}

/// Whether the identity provider answers, and is the configured one.
async fn examined_provider(provider: &Provider) -> Checkup {
    let line = match provider.look().await {
        Ok(()) => (Health::Good, "It says who it is, and has keys by which its word can be checked.".to_owned()),
        Err(why) => (
            Health::Bad,
            format!(
                "Nobody can sign in by it: {why}. Passwords go on working; look at [identity.oidc] and at the provider."
            ),
        ),
    };
    Checkup { target: "identity provider".to_owned(), place: provider.issuer().to_owned(), lines: vec![line] }
}

fn examined_from_outside(place: PlaceArguments) -> Result<Vec<Checkup>, String> {
    let blind = |error: std::io::Error| format!("Nobody can look from here: {error}. Nothing was examined");
    let url = load(&place.into())?.public_url.ok_or(
        "The configuration has no public_url, so it is not known by which address people reach the portal. Nothing was examined; set it",
    )?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(blind)?;
    Ok(vec![runtime.block_on(outside::examine(&url))?])
}

fn chosen(all: Vec<TargetSettings>, named: &[String]) -> Result<Vec<TargetSettings>, String> {
    let known: Vec<String> = all.iter().map(|target| target.plan.name.clone()).collect();
    if let Some(unknown) = named.iter().find(|name| !known.contains(name)) {
        let known = known.join(", ");
        return Err(format!("The configuration names no target {unknown}; it has {known}. Nothing was examined"));
    }
    Ok(all.into_iter().filter(|target| named.is_empty() || named.contains(&target.plan.name)).collect())
}

/// A target with its lines.
fn told(checkup: &Checkup) -> String {
    let mut text = format!("{}: {}\n", checkup.target, checkup.place);
    for (health, words) in &checkup.lines {
        let word = match health {
            Health::Good => "ok",
            Health::Note => "note",
            Health::Bad => "BAD",
        };
        // Writing into a string cannot fail.
        let _ = writeln!(text, "  {word:<5} {words}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_says_how_bad_it_is() {
        let lines = vec![(Health::Good, "It answers.".to_owned()), (Health::Bad, "No shell.".to_owned())];
        let checkup = Checkup { target: "prod".to_owned(), place: "deploy@prod".to_owned(), lines };

        assert_eq!(told(&checkup), "prod: deploy@prod\n  ok    It answers.\n  BAD   No shell.\n");
        assert!(!checkup.is_fit());
    }

    #[test]
    fn a_target_that_is_not_configured_is_told_with_those_that_are() {
        let refused = chosen(Vec::new(), &["prod".to_owned()]).unwrap_err();

        assert!(refused.contains("names no target prod"), "{refused}");
    }
}
