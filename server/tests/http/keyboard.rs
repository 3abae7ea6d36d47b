//! The full keyboard over HTTP: real programs that are typed into, and who may not type.

use domain::RunId;
use domain::run::Event;
use http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use store::Chain;

use crate::approvals::Scene;
use crate::screens::Viewer;
use crate::site::Answer;

const DOCUMENT: &str = "# Console

## Console

### Steps

1. **Edit**

   ```bash
   TERM=xterm busybox vi notes.txt
   ```

2. **Look**

   ```bash
   printf 'ready'; head -n 1
   ```

3. **Count**

   ```bash
   stty raw; printf '\\033[?1h\\033[?2004h'; head -c 35 | od -An -c
   ```

4. **Write**

   ```bash
   cat > notes.txt
   ```
";

/// A run of Olga's with an editor that needs a full keyboard, and what she types into it.
struct Console {
    scene: Scene,
    codes: Vec<String>,
}

impl Console {
    async fn open() -> Self {
        let interactive = |title| format!("[procedure.\"Console\".step.\"{title}\"]\ninteractive = true\n");
        let side = ["Edit", "Count", "Write"].map(interactive).concat();
        let scene = Scene::with("console.md", DOCUMENT, &side).await;
        let work = scene.site.path("work");
        std::fs::create_dir(&work).unwrap();
        scene.site.write("console.portal.toml", &format!("directory = {:?}\n{side}", work.to_str().unwrap()));
        let codes = scene.codes("lena").await;
        scene.done("/api/runs/start", "slug=console&target=local&key=k", &scene.olga).await;
        Self { scene, codes }
    }

    /// Asks for the approval of a step, and lets a lead give it.
    async fn approve(&self, step: u32, commands: &str) {
        let form = format!("run=1&request=1&wanted[s{step}.{commands}]=on&reason=a+config");
        self.scene.done("/api/approvals/ask", &form, &self.scene.olga).await;
        let answer = self.scene.approve(1, &self.scene.lena, &self.codes[0]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }

    async fn run(&self, step: u32, commands: &str) -> Answer {
        let form = format!("run=1&step={step}&attempt=1&commands={commands}");
        self.scene.post("/api/runs/run", &form, &self.scene.olga).await
    }

    /// Runs a step that was approved before.
    async fn runs(&self, step: u32, commands: &str) {
        self.approve(step, &commands.replace(',', "-")).await;
        let answer = self.run(step, commands).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }

    async fn types(&self, (step, command, number): (u32, u32, u32), keys: &str, cookie: &str) -> Answer {
        let keys = utf8_percent_encode(keys, NON_ALPHANUMERIC);
        let form = format!("run=1&step={step}&attempt=1&command={command}&number={number}&typed[keys]={keys}");
        self.scene.post("/api/runs/keys", &form, cookie).await
    }

    async fn typed(&self, place: (u32, u32, u32), keys: &str) {
        let answer = self.types(place, keys, &self.scene.olga).await;
        assert_eq!(answer.status, StatusCode::OK, "{keys}: {}", answer.body);
    }

    /// How many events the audit chain has.
    async fn events(&self) -> u64 {
        match self.scene.site.portal.store().verify_chain().await.unwrap() {
            Chain::Whole(head) => head.seq,
            Chain::Broken(broken) => panic!("{broken:?}"),
        }
    }
}

/// Whether the editor takes commands and not text: it says so at the left of its last line. Escape alone is only told from the begin
/// of another key by what follows.
fn takes_commands(viewer: &Viewer) -> bool {
    viewer.condition.screen && viewer.rows().last().is_some_and(|last| last.starts_with("- notes.txt"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editor_is_typed_into_and_the_record_says_who_and_how_much_but_not_what() {
    let console = Console::open().await;
    let early = console.run(1, "1").await;
    assert_eq!(early.status, StatusCode::CONFLICT, "interactive work destroys: {}", early.body);
    console.runs(1, "1").await;
    let mut viewer = Viewer::of(&console.scene.site, 1, 0).await;
    viewer.until(takes_commands).await;

    console.typed((1, 1, 1), r#"[{"text":"ione"},{"key":"enter"},{"text":"tuu"},{"key":"backspace"}]"#).await;
    console.typed((1, 1, 2), r#"[{"key":"backspace"},{"text":"wo"},{"key":"escape"}]"#).await;
    viewer.until(|viewer| takes_commands(viewer) && viewer.rows()[1] == "two").await;
    console.typed((1, 1, 3), r#"[{"key":"up"},{"text":"0xi"},{"paste":"1 & ü "},{"key":"escape"}]"#).await;
    viewer.until(|viewer| takes_commands(viewer) && viewer.rows()[0] == "1 & ü ne").await;
    let twice = console.types((1, 1, 3), r#"[{"text":"dd"}]"#, &console.scene.olga).await;
    assert_eq!(twice.status, StatusCode::CONFLICT, "{}", twice.body);
    console.typed((1, 1, 4), r#"[{"text":":wq"},{"key":"enter"}]"#).await;

    console.scene.site.settled(1).await;
    let written = std::fs::read_to_string(console.scene.site.path("work/notes.txt")).unwrap();
    assert_eq!(written, "1 & ü ne\ntwo\n");
    let entries = console.scene.site.portal.store().entries(RunId(1), 0).await.unwrap();
    let olga = console.scene.id("olga").await;
    let typed = entries.iter().filter_map(|entry| match entry.event {
        Event::KeysTyped { step: 1, attempt: 1, command: 1, bytes } => Some((entry.by.id() == Some(&olga), bytes)),
        _ => None,
    });
    assert_eq!(typed.collect::<Vec<_>>(), [(true, 9), (true, 4), (true, 14), (true, 4)]);
    let stored = serde_json::to_string(&entries).unwrap();
    assert!(!stored.contains("ione") && !stored.contains(":wq"), "{stored}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fast_typing_arrives_whole_and_in_its_order() {
    let console = Console::open().await;
    console.runs(4, "1").await;
    let mut viewer = Viewer::of(&console.scene.site, 4, 0).await;
    viewer.until(|viewer| viewer.condition.waiting).await;

    for number in 1..=80 {
        console.typed((4, 1, number), &format!(r#"[{{"text":"{number}, "}}]"#)).await;
    }
    console.typed((4, 1, 81), r#"[{"key":"enter"},{"key":"ctrl-d"}]"#).await;

    console.scene.site.settled(1).await;
    let expected = (1..=80).map(|number| format!("{number}, ")).collect::<Vec<_>>().concat();
    assert_eq!(std::fs::read_to_string(console.scene.site.path("work/notes.txt")).unwrap(), expected + "\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_asks_for_other_arrows_and_marked_pastes_gets_them() {
    let console = Console::open().await;
    console.runs(3, "1").await;
    let mut viewer = Viewer::of(&console.scene.site, 3, 0).await;
    viewer.until(|viewer| viewer.condition.raw).await;

    console.typed((3, 1, 1), r#"[{"key":"up"},{"key":"ctrl-left"},{"key":"f5"},{"key":"ctrl-c"}]"#).await;
    console.typed((3, 1, 2), r#"[{"paste":"a\nb\u001b[201~"},{"text":"x"}]"#).await;

    console.scene.site.settled(1).await;
    let output = console.scene.site.get("/runs/1/output/3/1", &console.scene.olga).await.body;
    let words: Vec<&str> = output.split_whitespace().collect();
    let text = words.join(" ");
    assert!(text.contains("033 O A 033 [ 1 ; 5 D 033 [ 1 5 ~ 003"), "{text}");
    assert!(text.ends_with("033 [ 2 0 0 ~ a \\r b [ 2 0 1 ~ 033 [ 2 0 1 ~"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_types_into_a_step_without_a_keyboard_and_each_refusal_is_one_event_of_the_audit() {
    let console = Console::open().await;
    let scene = &console.scene;
    let refused = async |words: &str| {
        let before = console.events().await;
        let answer = console.types((2, 1, 1), r#"[{"text":"x"}]"#, &scene.olga).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{words}: {}", answer.body);
        assert!(answer.body.contains(words), "{words}: {}", answer.body);
        assert_eq!(console.events().await, before + 1, "{words}");
    };

    refused("does not run").await;
    let answer = console.run(2, "1").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let mut viewer = Viewer::of(&scene.site, 2, 0).await;
    viewer.until(|viewer| viewer.condition.waiting).await;
    refused("This step has no full keyboard: its side file does not say that it is interactive. Nothing was sent.")
        .await;
    scene.done("/api/runs/input", "run=1&step=2&attempt=1&command=1&number=1&line=go", &scene.olga).await;
    scene.site.settled(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_person_who_works_in_the_run_types_and_only_what_a_keyboard_has() {
    let console = Console::open().await;
    let scene = &console.scene;
    let vera = scene.site.person("vera", "Vera", "viewer", &scene.ada).await;
    console.runs(1, "1").await;
    let mut viewer = Viewer::of(&scene.site, 1, 0).await;
    viewer.until(takes_commands).await;

    let letter = r#"[{"text":"x"}]"#;
    let lars = console.types((1, 1, 1), letter, &scene.lars).await;
    assert_eq!(lars.status, StatusCode::CONFLICT, "{}", lars.body);
    assert!(lars.body.contains("Olga"), "{}", lars.body);
    let vera = console.types((1, 1, 1), letter, &vera).await;
    assert_eq!(vera.status, StatusCode::FORBIDDEN, "{}", vera.body);
    assert!(vera.body.contains("Your role is viewer"), "{}", vera.body);
    for form in ["typed[keys]=x", "typed[keys]=[{\"key\":\"f99\"}]", "typed[key]=hyper-x"] {
        let form = format!("run=1&step=1&attempt=1&command=1&number=1&{form}");
        let answer = scene.post("/api/runs/keys", &form, &scene.olga).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}: {}", answer.body);
    }
    let much = format!(r#"[{{"paste":"{}"}}]"#, "x".repeat(4_001));
    let answer = console.types((1, 1, 1), &much, &scene.olga).await;
    assert!(answer.body.contains("At most 4,000 bytes"), "{}", answer.body);

    // Without scripts the same goes by forms: a key by its name, a line with Enter behind it.
    let sends = async |number: u32, form: &str| {
        let form = format!("run=1&step=1&attempt=1&command=1&number={number}&{form}");
        scene.done("/api/runs/keys", &form, &scene.olga).await;
    };
    sends(1, "typed[line]=ihello&typed[enter]=on").await;
    sends(2, "typed[key]=escape").await;
    viewer.until(|viewer| takes_commands(viewer) && viewer.rows()[0] == "hello").await;
    let page = scene.site.get("/runs/1?step=1", &scene.olga).await.body;
    assert!(page.contains("Keyboard of step 1") && page.contains("value=\"page-up\""), "{page}");
    sends(3, "typed[line]=:wq").await;
    sends(4, "typed[key]=enter").await;
    scene.site.settled(1).await;
    assert_eq!(std::fs::read_to_string(scene.site.path("work/notes.txt")).unwrap(), "hello\n\n");
}
