//! What a portal finds that was not there when the attempt began, or whose shim is dead.

use domain::attempt::{AttemptResult, Spec};
use engine::{Engine, Inspection, Ladder, LaunchError, MasterKey};

use crate::harness::{Place, Step, engine};
use crate::sites::Site;

at_every_target! {
    a_new_engine_goes_on_where_the_old_one_was,
    nothing_is_started_twice,
    other_work_than_what_the_intent_names_is_not_run,
}

async fn a_new_engine_goes_on_where_the_old_one_was(site: &Site) {
    let mut place = site.place();
    let id = place.launch(Step::new(&["echo one; read -r go; echo two", "echo three"])).await;
    place.wait_for(id, "one").await;

    place.engine = engine(place.folder.path(), Ladder::default());

    assert_eq!(place.engine.inspect(&place.intent(id)).unwrap(), Inspection::Running);
    place.engine.input(&id, 1, "go".to_owned()).await.unwrap();
    let end = place.end(id).await;
    assert_eq!(end.text(), "one\ntwo\nthree\n");
    assert_eq!(*end.result(), AttemptResult::Completed);
    assert_eq!(place.engine.follow(&place.intent(id)).unwrap().borrow().marks, 4);
}

async fn nothing_is_started_twice(site: &Site) {
    let place = site.place();
    let file = place.folder.path().join("count");
    let spec = place.spec(Step::new(&[&format!("echo x >> {}", file.display())]));
    place.start(&spec, Vec::new()).await;

    let again = place.engine.launch(&spec).await;

    assert!(matches!(again, Err(LaunchError::Again(id)) if id == spec.id));
    place.end(spec.id).await;
    assert!(matches!(place.engine.launch(&spec).await, Err(LaunchError::Again(_))));
    assert_eq!(std::fs::read_to_string(file).unwrap(), "x\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_nobody_launched_was_never_started() {
    let place = Place::new();
    let id = place.spec(Step::new(&["true"])).id;

    assert_eq!(place.engine.inspect(&place.intent(id)).unwrap(), Inspection::NeverStarted);
    assert!(place.engine.follow(&place.intent(id)).is_err());
    assert!(place.engine.marks(&place.intent(id), 0).unwrap().is_empty());
    assert!(place.engine.survivors(&place.intent(id)).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_that_cannot_start_the_shim_says_so_and_leaves_nothing() {
    let place = Place::new();
    let runs = place.folder.path().join("runs");
    let broken = Engine::new(runs, "/no/such/binary".into(), MasterKey::new([7; 32])).unwrap();
    let spec = place.spec(Step::new(&["true"]));

    let error = broken.launch(&spec).await.unwrap_err();

    assert_eq!(error.to_string(), "the process that runs it could not be started (entity not found)");
    assert_eq!(broken.inspect(&place.intent(spec.id)).unwrap(), Inspection::NeverStarted);
    place.start(&spec, Vec::new()).await;
    place.end(spec.id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_written_is_an_error_in_a_sentence() {
    let place = Place::new();
    std::fs::write(place.folder.path().join("runs"), "a file in the way").unwrap();

    let error = place.engine.launch(&place.spec(Step::new(&["true"]))).await.unwrap_err();

    assert!(error.to_string().starts_with("its folder could not be written ("), "{error}");
}

async fn other_work_than_what_the_intent_names_is_not_run(site: &Site) {
    let place = site.place();
    let mut spec = place.spec(Step::new(&["echo approved"]));
    "echo swapped".clone_into(&mut spec.work.commands[0].script);
    place.start(&spec, Vec::new()).await;

    let end = place.end(spec.id).await;

    assert!(
        matches!(end.result(), AttemptResult::NotStarted { reason } if reason.contains("is not what was to be run"))
    );
    assert_eq!(end.text(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_or_changed_record_is_an_interruption() {
    let place = Place::new();
    let end = place.run(Step::new(&["false"])).await;
    let path = place.engine.folder(&end.id).join("exit.json");
    let genuine = std::fs::read_to_string(&path).unwrap();
    let forged = "{\"body\":\"{}\",\"mac\":\"00\"}".to_owned();
    for text in
        [genuine.replace("failed", "complet"), genuine.replace("\"mac\":\"", "\"mac\":\"0"), forged, String::new()]
    {
        std::fs::write(&path, text).unwrap();

        let Inspection::Interrupted { reason } = place.inspect_gone(end.id).await else { panic!("believed") };

        assert!(reason.starts_with("The record of how the step ended was not written by the process that ran it."));
    }
    std::fs::write(&path, genuine).unwrap();
    assert_eq!(place.engine.inspect(&place.intent(end.id)).unwrap(), Inspection::Ended(Box::new(end.exit)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_one_attempt_is_no_record_of_another() {
    let place = Place::new();
    let good = place.run(Step::new(&["true"])).await;
    let other = place.run(Step::new(&["false"])).await;

    let exits = [&good, &other].map(|end| place.engine.folder(&end.id).join("exit.json"));
    std::fs::copy(&exits[0], &exits[1]).unwrap();

    assert!(matches!(place.inspect_gone(other.id).await, Inspection::Interrupted { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_a_step_writes_itself_is_not_believed() {
    let place = Place::new();
    let forge =
        "cd \"$folder\" && printf '{\"body\":\"{}\",\"mac\":\"00\"}' > x && mv x exit.json; kill -9 $PPID; sleep 60";
    let id = place.spec(Step::new(&["true"])).id;
    let folder = place.engine.folder(&id);
    let spec = Spec { id, ..place.spec(Step::new(&[forge]).variable("folder", folder.to_str().unwrap())) };
    place.start(&spec, Vec::new()).await;

    let end = place.inspect_end(spec.id).await;

    assert!(matches!(end, Inspection::Interrupted { .. }), "{end:?}");
    place.engine.stop_survivors(&place.intent(spec.id)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_a_step_writes_while_its_shim_lives_is_replaced_by_the_true_one() {
    let place = Place::new();
    let forge = "cd \"$folder\" && printf '{\"body\":\"{}\",\"mac\":\"00\"}' > x && mv x exit.json; echo forged; read -r go; exit 3";
    let id = place.spec(Step::new(&["true"])).id;
    let folder = place.engine.folder(&id);
    let spec = Spec { id, ..place.spec(Step::new(&[forge]).variable("folder", folder.to_str().unwrap())) };
    place.start(&spec, Vec::new()).await;
    place.wait_for(id, "forged").await;
    assert_eq!(place.engine.inspect(&place.intent(id)).unwrap(), Inspection::Running);

    place.engine.input(&id, 1, "go".to_owned()).await.unwrap();

    let end = place.end(id).await;
    assert_eq!(*end.result(), AttemptResult::ShellEnded { command: 1, code: Some(3) });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_shim_is_an_interruption_and_what_it_left_is_found_and_ended() {
    let place = Place::new();
    let script = "env -i nohup sleep 7104.2 >/dev/null 2>&1 & setsid sh -c 'trap \"\" HUP TERM INT; echo ready; exec sleep 7104.1'";
    for step in [Step::new(&[script]), Step::new(&[script]).pipes()] {
        let id = place.launch(step).await;
        place.wait_for(id, "ready").await;
        let mut progress = place.engine.follow(&place.intent(id)).unwrap();
        assert!(place.engine.survivors(&place.intent(id)).await.is_empty(), "a living shim looks after its own");

        let shim = rustix::process::Pid::from_raw(place.shim_of(id)).unwrap();
        rustix::process::kill_process(shim, rustix::process::Signal::KILL).unwrap();
        progress.wait_for(|progress| progress.done).await.unwrap();

        let Inspection::Interrupted { reason } = place.engine.inspect(&place.intent(id)).unwrap() else {
            panic!("not interrupted")
        };
        assert!(reason.contains("is not known"));
        assert_eq!(place.engine.read(&id, 0, 100).await.unwrap(), "ready\n");
        assert!(!place.engine.survivors(&place.intent(id)).await.is_empty());
        assert!(place.engine.stop_survivors(&place.intent(id)).await.is_empty());
        assert!(place.engine.survivors(&place.intent(id)).await.is_empty());
        assert!(place.engine.stop(&id).await.is_err());
    }
}

/// The control groups of attempts on this machine, wherever they are.
fn groups(below: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(below).into_iter().flatten().flatten().map(|entry| entry.path());
    let folders: Vec<_> = entries.filter(|path| path.is_dir() && !path.is_symlink()).collect();
    folders.into_iter().flat_map(|path| groups(&path).into_iter().chain([path])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_control_group_of_a_shim_that_was_killed_goes_when_nobody_is_in_it() {
    let place = Place::new();
    let id = place.launch(Step::new(&["cat /proc/self/cgroup; echo ready; read -r go"])).await;
    place.wait_for(id, "ready").await;
    let output = String::from_utf8(place.engine.read(&id, 0, 4096).await.unwrap().to_vec()).unwrap();
    let group = output.lines().find_map(|line| line.rsplit('/').next().filter(|name| name.starts_with("portal-")));
    let Some(group) = group.map(str::to_owned) else {
        return eprintln!("skipped: no control group can be made here");
    };
    let is_there = || groups("/sys/fs/cgroup".as_ref()).iter().any(|path| path.ends_with(&group));
    assert!(is_there());

    // Its terminal goes with it, and the shell with that.
    let shim = rustix::process::Pid::from_raw(place.shim_of(id)).unwrap();
    rustix::process::kill_process(shim, rustix::process::Signal::KILL).unwrap();
    place.inspect_gone(id).await;
    while !place.engine.survivors(&place.intent(id)).await.is_empty() {
        tokio::task::yield_now().await;
    }

    assert!(!is_there());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_with_a_long_path_is_as_good_as_any() {
    let place = Place::new();
    let deep = place.folder.path().join("x".repeat(120)).join("y".repeat(120));
    let far = engine(&deep, Ladder::default());
    let spec = place.spec(Step::new(&["read -r line; echo \"<$line>\""]));
    far.launch(&spec).await.unwrap();
    let mut progress = far.follow(&spec.intent()).unwrap();
    progress.wait_for(|progress| progress.marks == 1).await.unwrap();

    far.input(&spec.id, 1, "heard".to_owned()).await.unwrap();

    assert!(matches!(far.wait_end(&spec.intent()).await.unwrap(), Inspection::Ended(_)));
    assert_eq!(far.read(&spec.id, 0, 100).await.unwrap(), "<heard>\n");
}
