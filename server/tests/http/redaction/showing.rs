//! What is shown of a covered output, to whom and from when on.

use domain::frame::{Cursor, Frame};
use domain::policy::Role;
use domain::run::Event;
use futures::StreamExt as _;
use http::StatusCode;
use portal::Follow;

use super::{DOCUMENT, MASKED, OUTPUT, PAGE, PRINTED, RUN, SECRET, ask, log_of};
use crate::approvals::Scene;
use crate::site::someone;

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_open_on_a_closed_run_is_told_and_has_the_covered_output_from_then_on() {
    let scene = Scene::closed().await;
    let codes = scene.codes("lena").await;
    let version = scene.redacted_run().await.version;
    let (cursor, otto) = (Cursor { version, ..Cursor::default() }, someone(Role::Viewer));
    let follow = async |cursor| scene.site.portal.watch(otto.viewer().unwrap(), RUN, cursor).await.unwrap();
    let mut open = follow(cursor).await;

    scene.asks().await;
    assert_eq!(scene.confirm(&scene.lena, &codes[0]).await.status, StatusCode::OK);

    let told = async {
        while let Some(framed) = open.next().await {
            if let Frame::Event { entry } = framed.frame
                && let Event::OutputRedacted { step, attempt, .. } = entry.event
            {
                return Some((step, attempt));
            }
        }
        None
    };
    assert_eq!(told.await, Some((1, 1)));
    let mut anew = follow(Cursor { version, step: 1, attempt: 1, offset: 0 }).await;
    let output = async {
        while let Some(framed) = anew.next().await {
            if let Frame::Output { text, .. } = framed.frame {
                return text;
            }
        }
        String::new()
    };
    let output = output.await;
    assert!(output.contains(MASKED) && !output.contains(SECRET), "{output}");
}

/// Between the record and the disk there is a moment, and a disk that takes nothing makes it long.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_as_covered_is_shown_to_nobody_also_while_the_disk_still_has_it() {
    let scene = Scene::leaked().await;
    let codes = scene.codes("lena").await;
    let before = std::fs::read_to_string(log_of(&scene.site)).unwrap();
    scene.asks().await;
    assert_eq!(scene.confirm(&scene.lena, &codes[0]).await.status, StatusCode::OK);
    std::fs::write(log_of(&scene.site), before).unwrap();

    for path in [PAGE, OUTPUT, "/runs/1?step=1&attempt=1&from=0"] {
        let shown = scene.site.get(path, &scene.olga).await.body;
        assert!(shown.contains(MASKED) && !shown.contains(SECRET), "{path}: {shown}");
    }
    let log = scene.post("/api/runs/log", "run=1&step=1&attempt=1&from=0", &scene.olga).await.body;
    assert!(log.contains(MASKED) && !log.contains(SECRET), "{log}");
    for (path, more) in [("/api/runs/lines", ""), ("/api/runs/text", "&from=1&to=99")] {
        let lines = scene.post(path, &format!("run=1&step=1&attempt=1{more}"), &scene.olga).await.body;
        assert!(lines.contains(MASKED) && !lines.contains(SECRET), "{path}: {lines}");
    }
    let cast = scene.site.get(&format!("{OUTPUT}?as=cast"), &scene.olga).await.body;
    assert!(cast.contains(MASKED) && !cast.contains(SECRET), "{cast}");
    let find = format!("run=1&step=1&attempt=1&wanted[text]={SECRET}&around=1");
    let found = scene.post("/api/runs/find", &find, &scene.olga).await.body;
    assert!(found.contains("\"count\":0"), "nobody can try what was covered: {found}");
    let otto = someone(Role::Viewer);
    let cursor = Cursor { version: 0, step: 1, attempt: 1, offset: 0 };
    let frames = scene.site.portal.watch(otto.viewer().unwrap(), RUN, cursor).await.unwrap();
    let outputs = frames.filter_map(async |framed| match framed.frame {
        Frame::Output { text, .. } => Some(text),
        _ => None,
    });
    let output = Box::pin(outputs).next().await.unwrap();
    assert!(output.contains(MASKED) && !output.contains(SECRET), "{output}");
}

/// Nobody reads these streams before something is covered: they have come to a stand far before the end of the output. The disk
/// takes nothing here, either.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_covered_while_an_output_is_sent_is_covered_in_the_rest_of_it() {
    let long = DOCUMENT.replace("echo end", "seq 1 100000; echo late $s");
    let scene = Scene::leaked_by(&long).await;
    let codes = scene.codes("lena").await;
    let before = std::fs::read_to_string(log_of(&scene.site)).unwrap();
    let (portal, otto) = (&scene.site.portal, someone(Role::Viewer));
    let viewer = || otto.viewer().unwrap();
    let (_, raw) = portal.raw_output(viewer(), PRINTED, 0, Follow::Stored).await.unwrap();
    let cast = portal.recording(viewer(), PRINTED).await.unwrap();
    let replay = portal.replay(viewer(), PRINTED, 0, 100).await.unwrap();
    let cursor = Cursor { version: 0, step: 1, attempt: 1, offset: 0 };
    let page = portal.watch(viewer(), RUN, cursor).await.unwrap();

    scene.asks().await;
    assert_eq!(scene.confirm(&scene.lena, &codes[0]).await.status, StatusCode::OK);
    std::fs::write(log_of(&scene.site), before).unwrap();

    let bytes = raw.chain(cast).map(Result::unwrap).map(|piece| String::from_utf8_lossy(&piece).into_owned());
    let shown = replay.chain(page).filter_map(async |framed| match framed.frame {
        Frame::Output { text, .. } => Some(text),
        _ => None,
    });
    let (mut told, mut all) = (String::new(), Box::pin(bytes.chain(shown)));
    let (masked, leaked) = (format!("late {MASKED}"), format!("late {SECRET}"));
    while told.matches(&masked).count() + told.matches(&leaked).count() < 4 {
        told.push_str(&all.next().await.unwrap());
    }
    assert!(!told.contains(&leaked), "{}", told.matches(&leaked).count());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_long_place_the_begin_and_the_end_are_shown_and_how_much_lies_between() {
    let many = DOCUMENT.replace("echo end", "seq 1001 1999");
    let scene = Scene::leaked_by(&many).await;
    scene.codes("lena").await;
    // Three lines before it, then 1001 and 1002.
    scene.done("/api/redactions/ask", &ask("unit=lines&range=6-996"), &scene.ada).await;

    let shown = scene.site.get(PAGE, &scene.lena).await.body;

    let (_, places) = shown.split_once("This is how it will look").unwrap();
    let (places, _) = places.split_once("</pre>").unwrap();
    for words in ["Line 6", "1002\n****", "… 4,475 bytes …", "****\n1994"] {
        assert!(places.contains(words), "{words}: {places}");
    }
    assert!(!places.contains("1003") && !places.contains("1993"), "{places}");
}
