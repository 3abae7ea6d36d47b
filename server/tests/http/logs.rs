//! A log as pages and scripts read it: lines by their numbers, what is found in all of it, and where a page begins that joins late.

use std::path::PathBuf;
use std::sync::Arc;

use domain::find::Found;
use domain::frame::{Cursor, Frame};
use domain::policy::Role;
use domain::view::{LinesView, PlainText};
use domain::{RunId, Timestamp};
use futures::StreamExt as _;
use http::{StatusCode, header};
use portal::SystemClock;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::account::{done, post};
use crate::site::{Answer, Served, page, someone};

const DOCUMENT: &str = "# Print

## Steps

1. **Count**

   ```bash
   seq 1 30000
   ```

2. **Colours and progress**

   ```bash
   printf '\\033[31mred\\033[0m\\n10 %%\\r100 %%\\n'

   printf 'no end of line'

   printf 'next\\n'
   ```

3. **Wait**

   ```bash
   sh -c 'echo early; sleep 2; echo late'
   ```

4. **A great many**

   ```bash
   seq 1 300000
   ```

5. **One long line**

   ```bash
   head -c 3000000 /dev/zero | tr '\\0' x; printf end
   ```

6. **Slowly**

   ```bash
   sh -c 'for n in 1 2 3 4 5 6; do echo line $n; sleep 0.5; done'
   ```
";

const COUNTED: &str = "run=1&step=1&attempt=1";

/// A run of the document of which some steps were run.
struct Printed {
    site: Served,
    cookie: String,
}

impl Printed {
    async fn by(steps: &[(u32, &str)]) -> Self {
        let site = Served::with_document("print.md", DOCUMENT.as_bytes()).await;
        let cookie = site.administrator().await;
        done(&site, "/api/runs/start", "slug=print&target=local&key=k", &cookie).await;
        for (step, commands) in steps {
            let form = format!("run=1&step={step}&attempt=1&commands={commands}");
            done(&site, "/api/runs/run", &form, &cookie).await;
            site.ended(1, *step).await;
        }
        Self { site, cookie }
    }

    /// The same by another portal, which knows what is on the disk.
    async fn again(self) -> Self {
        Self { site: self.site.again(Arc::new(SystemClock)).await, cookie: self.cookie }
    }

    async fn counted() -> Self {
        Self::by(&[(1, "1")]).await
    }

    async fn ask(&self, path: &str, form: &str) -> Answer {
        post(&self.site, path, form, &self.cookie).await
    }

    async fn told<T: DeserializeOwned>(&self, path: &str, form: &str) -> T {
        let answer = self.ask(path, form).await;
        assert_eq!(answer.status, StatusCode::OK, "{path} {form}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    async fn lines(&self, form: &str) -> LinesView {
        self.told("/api/runs/lines", form).await
    }

    async fn find(&self, wanted: &str) -> Found {
        self.told("/api/runs/find", &format!("{COUNTED}&{wanted}")).await
    }

    async fn raw(&self, question: &str) -> Answer {
        self.site.get(&format!("/runs/1/output/1/1?{question}"), &self.cookie).await
    }

    /// The file in which the places of lines are kept.
    fn places(&self) -> PathBuf {
        self.site.path("data/runs/1/1-1/out.lines")
    }
}

fn text(view: &LinesView) -> String {
    view.pieces.iter().map(|piece| piece.text.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_come_by_their_numbers_and_by_their_bytes() {
    let printed = Printed::counted().await;

    let view = printed.lines(&format!("{COUNTED}&line=20000&most=3")).await;
    assert_eq!(text(&view), "20000\n20001\n20002\n");
    assert_eq!((view.asked, view.line, view.count, view.lines), (20_000, 20_000, 3, 30_000));
    assert_eq!((view.to - view.from, view.length), (18, 168_894));

    let around = printed.lines(&format!("{COUNTED}&byte={}&most=30", view.from + 2)).await;
    assert_eq!(around.asked, 20_000, "the line in which the byte stands");
    assert!(around.line < 20_000 && text(&around).contains("\n20000\n20001\n"));

    let end = printed.lines(&format!("{COUNTED}&line=99999&most=2")).await;
    assert_eq!((text(&end).as_str(), end.line), ("29999\n30000\n", 29_999), "there are not so many: the last ones");
    let all = printed.lines(&format!("{COUNTED}&line=1&most=99999")).await;
    assert_eq!(all.count, 1_000, "no more than a page can take");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_places_of_lines_are_made_anew_when_they_are_forged() {
    let printed = Printed::counted().await;
    let form = format!("{COUNTED}&line=25000&most=1");
    assert_eq!(text(&printed.lines(&form).await), "25000\n");
    let kept = std::fs::read_to_string(printed.places()).unwrap();
    assert_eq!(kept.lines().count(), 2, "one in every 64 KiB");

    let forged = kept.replace("12775", "12776");
    assert_ne!(forged, kept);
    std::fs::write(printed.places(), forged).unwrap();
    let printed = printed.again().await;

    assert_eq!(text(&printed.lines(&form).await), "25000\n");
    assert_eq!(std::fs::read_to_string(printed.places()).unwrap(), kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn something_is_found_in_all_of_a_log_and_the_lines_around_the_reader_are_named() {
    let printed = Printed::counted().await;

    let text = printed.find("wanted[text]=2999&around=1").await;
    assert_eq!((text.count, text.before), (13, 0), "three that end with it, and ten that begin with it");
    assert_eq!(&text.lines[..4], [2_999, 12_999, 22_999, 29_990]);
    let expression = printed.find("wanted[text]=^1..00$&wanted[spelling]=expression&around=15000").await;
    assert_eq!(expression.count, 100);
    assert!(expression.is_complete() && expression.lines.contains(&15_000));
    let nothing = printed.find("wanted[text]=x&around=1").await;
    assert_eq!((nothing.count, nothing.searched), (0, 168_894));

    let odd =
        printed.ask("/api/runs/find", &format!("{COUNTED}&wanted[text]=(&wanted[spelling]=expression&around=1")).await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        odd.body.contains("not a regular expression") && odd.body.contains("Nothing was looked for"),
        "{}",
        odd.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_can_be_copied_as_a_page_shows_them_and_had_as_they_are() {
    let printed = Printed::by(&[(2, "1,2,3"), (1, "1")]).await;

    let copied: PlainText = printed.told("/api/runs/text", "run=1&step=2&attempt=1&from=1&to=9").await;
    assert_eq!((copied.text.as_str(), copied.lines), ("red\n100 %\nno end of linenext\n", 3));
    let raw = printed.raw("lines=29999-30000").await;
    assert_eq!((raw.status, raw.body.as_str()), (StatusCode::OK, "29999\n30000\n"));
    assert_eq!(printed.raw("lines=30000-40000").await.body, "30000\n");
    assert_eq!(printed.raw("lines=2").await.body, "2\n");
    assert_eq!(printed.raw("lines=2-1").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_had_as_they_are_stored_and_nobody_who_follows_waits_for_some() {
    let printed = Printed::counted().await;

    let answer = printed.raw("lines=29999-30005&follow=1").await;

    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body.contains("not followed") && answer.body.contains("Nothing was sent"), "{}", answer.body);
    assert_eq!(printed.raw("lines=29999-30005&follow=0").await.body, "29999\n30000\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_each_command_are_told() {
    let printed = Printed::by(&[(2, "1,2,3")]).await;

    let view = printed.lines("run=1&step=2&attempt=1&line=1&most=9").await;

    let commands: Vec<(u32, u64, u64)> =
        view.commands.iter().map(|lines| (lines.command, lines.first, lines.end)).collect();
    assert_eq!(commands, [(1, 1, 3), (2, 3, 4), (3, 4, 4)], "what goes on in the line of another has none of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_knows_when_its_lines_were_printed() {
    let printed = Printed::by(&[(3, "1")]).await;
    let form = "run=1&step=3&attempt=1&line=1&most=9";

    let view = printed.lines(form).await;

    let at = |byte: u64| view.times.iter().rev().find(|(from, _)| *from <= byte).unwrap().1;
    let (early, late) = (at(0), at("early\n".len() as u64));
    assert!(late.since(early) >= 500, "{:?}", view.times);
    let asked = |moment: Timestamp| format!("{form}&moment={}", moment.0);
    assert_eq!(printed.lines(&asked(late)).await.asked, 2);
    assert_eq!(printed.lines(&asked(early)).await.asked, 1);
}

/// It reads nothing until the step has ended: by then the stream has come to a stand in the middle of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_slow_is_told_when_lines_were_printed_and_not_when_they_were_sent() {
    let printed = Printed::by(&[]).await;
    done(&printed.site, "/api/runs/run", "run=1&step=6&attempt=1&commands=1", &printed.cookie).await;
    let viewer = someone(Role::Viewer);
    let cursor = Cursor { version: 0, step: 6, attempt: 1, offset: 0 };
    let frames = printed.site.portal.watch(viewer.viewer().unwrap(), RunId(1), cursor).await.unwrap();
    let mut outputs = Box::pin(frames.filter_map(async |framed| match framed.frame {
        Frame::Output { text, at, .. } => Some((text, at)),
        _ => None,
    }));
    assert!(outputs.next().await.unwrap().0.starts_with("line 1\n"));

    printed.site.ended(1, 6).await;
    let ended = printed.site.portal.now();

    let mut told = Vec::new();
    while told.last().is_none_or(|(text, _): &(String, Timestamp)| text != "line 6\n") {
        let (text, at) = outputs.next().await.unwrap();
        told.push((text, at.unwrap()));
    }
    let at = |line: &str| told.iter().find(|(text, _)| text == line).unwrap().1;
    assert!(ended.since(at("line 6\n")) >= 100, "{told:?}, {ended:?}");
    assert!(at("line 6\n").since(at("line 5\n")) >= 100, "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_joins_late_is_told_with_which_line_the_log_begins_for_them() {
    let printed = Printed::by(&[(4, "1")]).await;
    let viewer = someone(Role::Viewer);
    let cursor = Cursor { version: 0, step: 4, attempt: 1, offset: 0 };
    let mut frames = printed.site.portal.watch(viewer.viewer().unwrap(), RunId(1), cursor).await.unwrap();

    let mut begins = None;
    while let Some(framed) = frames.next().await {
        match framed.frame {
            Frame::Left { line, to, .. } => begins = Some((line.unwrap(), to)),
            Frame::Output { offset, text, .. } => {
                let (line, to) = begins.unwrap();
                assert_eq!(offset, to);
                assert!(text.starts_with(&format!("{line}\n{}\n", line + 1)), "{line}: {}", &text[..30]);
                break;
            }
            _ => {}
        }
    }

    let shown = printed.site.get("/runs/1?step=4&attempt=1", &printed.cookie).await.body;
    assert!(
        shown.contains("id=\"s4-L300000\"") && shown.contains(">300,000<"),
        "a rendered page numbers its last line as well"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_long_line_without_an_end_a_page_has_the_end_and_no_byte_twice() {
    let printed = Printed::by(&[(5, "1")]).await;
    let viewer = someone(Role::Viewer);
    let cursor = Cursor { version: 0, step: 5, attempt: 1, offset: 0 };
    let mut frames = printed.site.portal.watch(viewer.viewer().unwrap(), RunId(1), cursor).await.unwrap();

    let (mut at, mut last) = (0, String::new());
    while let Some(framed) = frames.next().await {
        match framed.frame {
            Frame::Left { from, to, .. } => {
                assert!(from == at && to > from, "{at}: {from} to {to}");
                at = to;
            }
            Frame::Output { offset, bytes, text, .. } => {
                assert_eq!(offset, at);
                (at, last) = (at + bytes, text);
            }
            _ => {}
        }
        if at == 3_000_003 {
            break;
        }
    }

    assert!(last.ends_with("xxxend"), "{}", last.len());
    let shown = printed.site.get("/runs/1?step=5&attempt=1", &printed.cookie).await.body;
    assert!(shown.contains("xxxend"), "a rendered page has the end as well");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_can_be_had_as_a_recording_with_its_timing() {
    let printed = Printed::by(&[(2, "1,2,3"), (3, "1")]).await;
    let recording = async |step: u32| {
        let request = page(&format!("/runs/1/output/{step}/1?as=cast")).header(header::COOKIE, &printed.cookie);
        let answer = printed.site.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.header("content-disposition").contains(".cast\""), "{:?}", answer.headers);
        let lines: Vec<Value> = answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines
    };
    let of = |lines: &[Value], kind: &str| -> Vec<String> {
        let events = lines[1..].iter().filter(|event| event[1] == kind);
        events.map(|event| event[2].as_str().unwrap().to_owned()).collect()
    };

    let lines = recording(2).await;
    assert_eq!(lines[0]["version"], 3);
    assert_eq!(lines[0]["term"]["cols"], 160);
    assert_eq!(of(&lines, "o").concat(), "\u{1b}[31mred\u{1b}[0m\r\n10 %\r100 %\r\nno end of linenext\r\n");
    assert_eq!(of(&lines, "m").len(), 3);
    assert_eq!(of(&lines, "x"), ["0"]);

    let waits: f64 = recording(3).await[1..].iter().map(|event| event[0].as_f64().unwrap()).sum();
    assert!((0.5..120.0).contains(&waits), "{waits}");
}
