//! The screens of full-screen programs: in the stream of a run, and on its rendered page.

use axum::body::Body;
use domain::attempt::Condition;
use domain::frame::{Cursor, Frame, Framed};
use domain::policy::Role;
use domain::run::Event;
use domain::screen::Screen;
use domain::{AttemptId, RunId};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use http::{StatusCode, header};
use tempfile::TempDir;

use crate::site::{Served, call, someone};

const DOCUMENT: &str = "# Look

## Steps

1. **Look**

   ```bash
   sh ./paint

   echo afterwards
   ```

2. **Processes**

   ```bash
   TERM=xterm-256color top -d 0.3
   ```

3. **Two halves**

   ```bash
   sh ./halves
   ```
";

/// Asks, shows a screen of its own until it is told to go, and says goodbye.
const PAINT: &str = r"printf 'asked\n\033[?1049h\033[2J\033[3;5Hhelp\033[1;1H\033[1;31mtitle <b>\033[0m'
until [ -e go ]; do sleep 0.05; done
printf '\033[1;1Hended\033[0K\033[?1049lbye\n'
";

/// Paints a screen in two writes, and then nothing for long.
const HALVES: &str = r"printf '\033[?1049h\033[2J\033[1;1Htop'
sleep 0.06
printf '\033[2;1Hbottom'
sleep 1.5
printf '\033[?1049l'
";

/// A run that has been started, and the folder in which it works.
struct Started {
    site: Served,
    work: TempDir,
    cookie: String,
}

impl Started {
    async fn new() -> Self {
        let site = Served::with_document("look.md", DOCUMENT.as_bytes()).await;
        let work = tempfile::tempdir().unwrap();
        std::fs::write(work.path().join("paint"), PAINT).unwrap();
        std::fs::write(work.path().join("halves"), HALVES).unwrap();
        site.write("look.portal.toml", &format!("directory = {:?}\n", work.path().to_str().unwrap()));
        let cookie = site.administrator().await;
        let started = Self { site, work, cookie };
        started.done("/api/runs/start", "slug=look&target=local&key=k").await;
        started
    }

    async fn done(&self, path: &str, form: &str) {
        let request = call(path).header(header::COOKIE, &self.cookie).body(Body::from(form.to_owned())).unwrap();
        let answer = self.site.send(request).await;
        assert_eq!(answer.status, StatusCode::OK, "{path} {form}: {}", answer.body);
    }

    async fn page(&self, step: u32) -> String {
        self.site.get(&format!("/runs/1?step={step}&attempt=1"), &self.cookie).await.body
    }

    async fn look(&self, step: u32, offset: u64) -> Viewer {
        Viewer::of(&self.site, step, offset).await
    }
}

/// What a page knows.
pub struct Viewer {
    frames: std::pin::Pin<Box<dyn futures::Stream<Item = Frame> + Send>>,
    screen: Option<Screen>,
    pub condition: Condition,
    offset: u64,
}

impl Viewer {
    /// Follows the first attempt of a step of the first run, from a byte on.
    pub async fn of(site: &Served, step: u32, offset: u64) -> Self {
        let cursor = Cursor { version: 0, step, attempt: 1, offset };
        let viewer = someone(Role::Viewer);
        let frames = site.portal.watch(viewer.viewer().unwrap(), RunId(1), cursor).await.unwrap();
        Self::over(frames, offset)
    }

    /// Takes frames, with the output from a byte on.
    fn over(frames: BoxStream<'static, Framed>, offset: u64) -> Self {
        Self { frames: Box::pin(frames.map(|framed| framed.frame)), screen: None, condition: Condition::NONE, offset }
    }

    /// Takes frames until something holds.
    pub async fn until(&mut self, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            let frame = self.frames.next().await.expect("the stream goes on until the attempt has ended");
            let ended = matches!(&frame, Frame::Event { entry } if matches!(entry.event, Event::AttemptEnded { .. }));
            self.take(frame);
            assert!(!ended || holds(self), "the attempt has ended: {:?}", self.rows());
        }
    }

    fn take(&mut self, frame: Frame) {
        match frame {
            Frame::Screen { repaint, .. } => {
                assert!(self.screen.is_some() || repaint.whole, "who comes is told the whole screen");
                self.screen.get_or_insert_default().apply(*repaint);
            }
            Frame::Condition { condition, .. } => self.condition = condition,
            Frame::Output { offset, bytes, .. } => {
                assert_eq!(offset, self.offset, "the output tiles as ever");
                self.offset += bytes;
            }
            _ => {}
        }
    }

    pub fn rows(&self) -> Vec<String> {
        let rows = self.screen.iter().flat_map(|screen| &screen.rows);
        rows.map(|row| row.iter().map(|span| span.text.as_str()).collect()).collect()
    }

    fn is_over(&self) -> bool {
        self.screen.as_ref().is_some_and(|screen| screen.to.is_some())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_is_told_as_it_stands_and_stays_as_it_was_left() {
    let started = Started::new().await;
    started.done("/api/runs/run", "run=1&step=1&attempt=1&commands=1,2").await;

    let mut viewer = started.look(1, 0).await;
    viewer.until(|viewer| viewer.screen.is_some()).await;
    assert_eq!(viewer.rows(), ["title <b>", "", "    help"]);
    assert_eq!(viewer.screen.as_ref().map(|screen| (screen.command, screen.from, screen.to)), Some((1, 6, None)));
    let page = started.page(1).await;
    assert!(page.contains("aria-label=\"Screen of sh ./paint\""), "{page}");
    assert!(page.contains("title &lt;b&gt;") && page.contains("    help"), "{page}");

    let mut late = started.look(1, viewer.offset).await;
    late.until(|late| late.screen.is_some()).await;
    assert_eq!(late.screen, viewer.screen, "who joins in the middle sees all of it");

    std::fs::write(started.work.path().join("go"), "").unwrap();
    for viewer in [&mut viewer, &mut late] {
        viewer.until(Viewer::is_over).await;
        assert_eq!(viewer.rows(), ["ended", "", "    help"]);
    }
    started.site.settled(1).await;
    let page = started.page(1).await;
    for shown in ["Last screen of ", ">ended<", "    help", ">asked<", ">bye<", ">afterwards<"] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    assert!(page.contains("href=\"/runs/1/output/1/1\""));
}

/// The second half comes when the screen has just been looked at, and nothing else comes for long.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_shows_a_screen_as_it_stood_and_does_not_leave_it_half_painted() {
    let started = Started::new().await;
    started.done("/api/runs/run", "run=1&step=3&attempt=1&commands=1").await;
    started.site.ended(1, 3).await;
    let (id, viewer) = (AttemptId { run: RunId(1), step: 3, attempt: 1 }, someone(Role::Viewer));

    let replay = started.site.portal.replay(viewer.viewer().unwrap(), id, 0, 1).await.unwrap();

    let mut replay = Viewer::over(replay, 0);
    replay.until(|viewer| viewer.rows() == ["top", "bottom"]).await;
    assert!(!replay.is_over(), "it is shown before the program leaves it");
}

#[tokio::test(flavor = "multi_thread")]
async fn top_is_followed_and_its_last_screen_stays_whole() {
    let started = Started::new().await;
    started.done("/api/runs/run", "run=1&step=2&attempt=1&commands=1").await;
    let mut viewer = started.look(2, 0).await;
    let first = |viewer: &Viewer| viewer.rows().first().cloned().unwrap_or_default();

    viewer.until(|viewer| viewer.condition.screen && first(viewer).starts_with("top - ")).await;
    let before = viewer.offset;
    viewer.until(|viewer| viewer.offset > before && first(viewer).starts_with("top - ")).await;
    started.done("/api/runs/input", "run=1&step=2&attempt=1&command=1&number=1&key=quit").await;
    viewer.until(Viewer::is_over).await;

    assert!(first(&viewer).starts_with("top - "), "what the end pushed out of it is still there: {:?}", viewer.rows());
    assert!(viewer.rows().iter().any(|row| row.contains("PID")), "{:?}", viewer.rows());
    started.site.settled(1).await;
    let page = started.page(2).await;
    assert_eq!(page.matches(">top - ").count(), 1, "the repaints are not shown as text: {page}");
}
