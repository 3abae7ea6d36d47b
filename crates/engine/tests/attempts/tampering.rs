//! A step that works as the portal's own user and writes into the folder of its attempt: it gains nothing by that.

use domain::AttemptId;
use domain::attempt::{AttemptResult, Mark, Outcome, Spec};
use engine::{SteerError, Unreadable};

use crate::harness::{Place, Step};

/// Starts a step whose commands know the folder of their own attempt.
async fn launch(place: &Place, step: impl Fn() -> Step) -> AttemptId {
    let id = place.spec(step()).id;
    let folder = place.engine.folder(&id);
    let spec = place.spec(step().variable("folder", folder.to_str().unwrap()));
    place.start(&Spec { id, ..spec }, Vec::new()).await;
    id
}

const FORGED: &str = "{\"mark\":\"ended\",\"command\":1,\"offset\":0,\"at\":1,\"code\":0,\"statuses\":[],\
                      \"duration_ms\":1,\"outcome\":\"success\"}";

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_a_step_writes_itself_is_never_believed() {
    let place = Place::new();
    let forge = format!("printf '%s\\n' '{FORGED}' >>\"$folder/out.idx\"; echo forged; read -r go; (exit 3)");
    let id = launch(&place, || Step::new(&[&forge, "echo never"])).await;
    place.wait_for(id, "forged").await;

    let told = place.progress(id, |progress| progress.length > 0).await;
    let marks = place.engine.marks(&place.intent(id), 0).unwrap();
    place.engine.input(&id, 1, "go".to_owned()).await.unwrap();
    let end = place.end(id).await;

    assert_eq!(told.marks, 1);
    assert!(matches!(*marks, [Mark::Started { command: 1, .. }]), "{marks:?}");
    assert_eq!(end.codes(), [Some(3)]);
    assert_eq!(*end.result(), AttemptResult::Failed { command: 1 });
    let sentence = "out.idx was changed by another process while the step ran. What the portal noted was put back.";
    assert_eq!(end.exit.notes.tampered, [sentence]);
    let index = std::fs::read_to_string(place.engine.folder(&id).join("out.idx")).unwrap();
    assert_eq!(index.lines().count(), 2, "{index}");
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_line_of_a_step_swallows_no_mark() {
    let place = Place::new();
    let id = launch(&place, || Step::new(&["printf half >>\"$folder/out.idx\"", "echo ready; read -r go"])).await;
    place.wait_for(id, "ready").await;

    let marks = place.engine.marks(&place.intent(id), 0).unwrap();

    assert_eq!(marks.len(), 3, "{marks:?}");
    place.stop(id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_genuine_mark_of_another_attempt_or_of_another_moment_is_not_believed() {
    let place = Place::new();
    let other = place.run(Step::new(&["true", "true"])).await;
    let other = place.engine.folder(&other.id).join("out.idx");
    let script = format!(
        "cat '{}' >>\"$folder/out.idx\"; head -n 1 \"$folder/out.idx\" >>\"$folder/out.idx\"; echo ready; read -r go",
        other.display()
    );
    let id = launch(&place, || Step::new(&[&script])).await;
    place.wait_for(id, "ready").await;

    assert_eq!(place.engine.marks(&place.intent(id), 0).unwrap().len(), 1);
    assert_eq!(place.stop(id).await.marks.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_that_a_step_takes_away_are_put_back() {
    let place = Place::new();
    for destroy in [
        ": >\"$folder/out.idx\"",
        "rm \"$folder/out.idx\"",
        "rm \"$folder/out.idx\"; mkdir -p \"$folder/out.idx/deep\"",
        "ln -sf /etc/passwd \"$folder/out.idx\"",
    ] {
        let id = launch(&place, || Step::new(&["true", destroy, "read -r go; echo last"])).await;
        let mut progress = place.engine.follow(&place.intent(id)).unwrap();
        place.progress(id, |progress| progress.condition.waiting).await;
        place.engine.input(&id, 3, "go".to_owned()).await.unwrap();

        let end = place.end(id).await;
        assert_eq!(progress.wait_for(|progress| progress.done).await.unwrap().marks, 6, "{destroy}");

        assert_eq!(end.codes(), [Some(0); 3], "{destroy}");
        assert_eq!(end.printed(3), "last\n", "{destroy}");
        assert_eq!(end.exit.notes.tampered.len(), 1, "{destroy}: {:?}", end.exit.notes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn output_that_a_step_adds_behind_the_shims_back_is_told() {
    let place = Place::new();
    let id = launch(&place, || Step::new(&["echo one; echo forged >>\"$folder/out.log\""])).await;

    let end = place.end(id).await;

    assert_eq!((end.exit.bytes, end.output.len()), (11, 11));
    let sentence = "out.log was changed by another process while the step ran: it has 11 bytes where 4 were written. \
                    Its text cannot be trusted.";
    assert_eq!(end.exit.notes.tampered, [sentence]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_place_of_the_log_is_not_read_and_the_log_is_put_back() {
    let place = Place::new();
    let secret = place.folder.path().join("secret");
    std::fs::write(&secret, "a secret of somebody else\n").unwrap();
    let cases = [
        (format!("ln -s '{}' \"$folder/out.log\"", secret.display()), "out.log is a link and not a file"),
        ("mkdir \"$folder/out.log\"; touch \"$folder/out.log/x\"".to_owned(), "out.log is a folder and not a file"),
        ("mkfifo \"$folder/out.log\"".to_owned(), "out.log is a pipe and not a file"),
    ];
    for (put, found) in cases {
        let script = format!("echo one; rm \"$folder/out.log\"; {put}; read -r go");
        let id = launch(&place, || Step::new(&[&script, "echo two"])).await;
        place.progress(id, |progress| progress.unreadable).await;

        let error = place.engine.read(&id, 0, 100).await.unwrap_err();

        assert_eq!(error.to_string(), format!("the log cannot be read: {found}"));
        assert!(matches!(error.get_ref(), Some(inner) if inner.is::<Unreadable>()));
        assert!(place.engine.output(&id).is_err());
        assert_eq!(place.engine.length(&id), 0);
        place.engine.input(&id, 1, "go".to_owned()).await.unwrap();
        let end = place.end(id).await;
        assert_eq!(end.text(), "one\ntwo\n", "{found}");
        let sentence = "out.log was taken away while the step ran. What was printed was put back.";
        assert_eq!(end.exit.notes.tampered, [sentence], "{found}");
        assert_eq!(std::fs::read_to_string(&secret).unwrap(), "a secret of somebody else\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_or_a_link_in_the_place_of_the_record_gives_way_to_it() {
    let place = Place::new();
    let target = place.folder.path().join("target");
    let link = format!(
        "ln -s '{0}' \"$folder/exit.json\"; rm \"$folder/.exit.json\"; ln -s '{0}' \"$folder/.exit.json\"",
        target.display()
    );
    for put in ["mkdir -p \"$folder/exit.json/x\" \"$folder/.exit.json/x\"; true", &link] {
        let id = launch(&place, || Step::new(&[put, "(exit 4)"])).await;

        let end = place.end(id).await;

        assert_eq!(*end.result(), AttemptResult::Failed { command: 2 }, "{put}");
        assert!(!target.exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_in_the_place_of_the_whole_folder_is_not_followed() {
    let place = Place::new();
    let end = place.run(Step::new(&["echo one"])).await;
    let folder = place.engine.folder(&end.id);
    let elsewhere = place.folder.path().join("elsewhere");
    std::fs::rename(&folder, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &folder).unwrap();

    let error = place.engine.read(&end.id, 0, 100).await.unwrap_err();

    assert_eq!(error.to_string(), "the log cannot be read: not a directory");
    assert!(place.engine.follow(&place.intent(end.id)).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_takes_its_socket_away_or_replaces_it_is_stopped_all_the_same() {
    let place = Place::new();
    for replace in [
        "rm \"$folder/control.sock\"",
        "rm \"$folder/control.sock\"; : >\"$folder/control.sock\"",
        "rm \"$folder/control.sock\"; mkdir \"$folder/control.sock\"",
        "rm \"$folder/control.sock\"; ln -s /nowhere \"$folder/control.sock\"",
    ] {
        let script = format!("{replace}; echo ready; read -r go");
        let id = launch(&place, || Step::new(&[&script, "echo never"])).await;
        place.wait_for(id, "ready").await;

        let end = place.stop(id).await;

        assert_eq!((end.result(), end.outcome(1)), (&AttemptResult::Stopped, Outcome::Stopped), "{replace}");
        place.gone(id).await;
        assert!(
            matches!(place.engine.stop(&id).await, Err(SteerError::Gone | SteerError::Unreachable(_))),
            "{replace}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_answers_in_the_place_of_the_shim_is_not_believed() {
    let place = Place::new();
    let id = launch(&place, || Step::new(&["rm \"$folder/control.sock\"; echo ready; read -r go"])).await;
    place.wait_for(id, "ready").await;
    let listener = tokio::net::UnixListener::bind(place.engine.folder(&id).join("control.sock")).unwrap();
    let liar = tokio::spawn(async move {
        while let Ok((mut peer, _)) = listener.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut peer, b"{\"answer\":\"done\"}\n").await;
        }
    });

    let typed = place.engine.input(&id, 1, "go".to_owned()).await;
    let end = place.stop(id).await;

    assert!(matches!(typed, Err(SteerError::Unreachable(_))), "{typed:?}");
    assert_eq!(*end.result(), AttemptResult::Stopped);
    liar.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_cannot_stop_itself_by_a_signal_to_its_shim() {
    let place = Place::new();

    let end = place.run(Step::new(&["kill -TERM $PPID; /bin/kill -TERM $PPID", "echo still here"])).await;

    assert_eq!((end.result(), end.text().as_str()), (&AttemptResult::Completed, "still here\n"));
}

/// Replaces `spec.json` by one of an older format, another attempt and other work.
const OTHER_SPEC: &str = "sed -e 's/\"v\": [0-9]*/\"v\": 1/' -e 's/\"attempt\": [0-9]*/\"attempt\": 9/' \\\n\
     -e \"s/[0-9a-f]\\{64\\}/$(printf '%064d' 7)/\" \"$folder/spec.json\" >\"$folder/x\"; mv \"$folder/x\" \"$folder/spec.json\"";

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_replaces_its_own_spec_changes_nothing_that_is_believed() {
    for replace in [OTHER_SPEC, "rm \"$folder/spec.json\"", "echo nonsense >\"$folder/spec.json\""] {
        let place = Place::new();
        let forge = format!("{replace}; echo '{FORGED}' >>\"$folder/out.idx\"; echo forged; read -r go; (exit 3)");
        let id = launch(&place, || Step::new(&[&forge])).await;
        place.wait_for(id, "forged").await;

        let waits = place.progress(id, |progress| progress.condition.waiting).await;
        let marks = place.engine.marks(&place.intent(id), 0).unwrap();
        place.engine.input(&id, 1, "go".to_owned()).await.unwrap();
        let end = place.end(id).await;

        assert_eq!((waits.marks, marks.len()), (1, 1), "{replace}");
        assert_eq!((end.result(), end.exit.id), (&AttemptResult::Failed { command: 1 }, id), "{replace}");
        assert_eq!(end.exit.digest, place.intent(id).digest, "{replace}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_step_with_another_spec_leaves_behind_is_found_and_its_marks_are_not_believed() {
    for replace in [OTHER_SPEC, "rm \"$folder/spec.json\""] {
        let place = Place::new();
        let forge = format!(
            "{replace}; echo '{FORGED}' >>\"$folder/out.idx\"; \
             setsid sh -c 'trap \"\" HUP TERM INT; echo forged; exec sleep 7105.1'"
        );
        let id = launch(&place, || Step::new(&[&forge])).await;
        place.wait_for(id, "forged").await;
        let shim = rustix::process::Pid::from_raw(place.shim_of(id)).unwrap();
        rustix::process::kill_process(shim, rustix::process::Signal::KILL).unwrap();

        let found = place.inspect_gone(id).await;

        assert!(matches!(found, engine::Inspection::Interrupted { .. }), "{found:?}");
        assert_eq!(place.engine.marks(&place.intent(id), 0).unwrap().len(), 1, "{replace}");
        assert!(!place.engine.survivors(&place.intent(id)).await.is_empty(), "{replace}");
        assert!(place.engine.stop_survivors(&place.intent(id)).await.is_empty(), "{replace}");
    }
}
