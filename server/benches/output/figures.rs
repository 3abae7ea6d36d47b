//! Figures with their medians and ranges, as text, as JSON and in `BENCHMARKS.md`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

/// Between these lines of `BENCHMARKS.md` the table stands.
const BEGIN: &str = "<!-- figures: written by make bench -->";
const END: &str = "<!-- end of figures -->";

/// What is to be reached.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// At most so many times the floor.
    Times(f64),
    /// At most so much.
    Most(f64),
    /// At most the floor and so much more.
    FloorAnd(f64),
}

/// Something that was measured several times.
#[derive(Clone, Debug)]
pub struct Figure {
    pub name: String,
    pub unit: &'static str,
    pub goal: Goal,
    /// What was measured, and the floor of the same round where there is one.
    pub rounds: Vec<(f64, Option<f64>)>,
}

/// Milliseconds.
pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The memory of a process, in MiB, by how many KiB it is.
#[expect(clippy::cast_precision_loss, reason = "memory of a process")]
pub fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// A measurement and its floor, one after the other, so often.
pub fn pairs(rounds: usize, mut measure: impl FnMut() -> f64, floor: impl Fn() -> f64) -> Vec<(f64, Option<f64>)> {
    (0..rounds).map(|_| (measure(), Some(floor()))).collect()
}

impl Figure {
    pub fn new(name: &str, unit: &'static str, goal: Goal, rounds: Vec<(f64, Option<f64>)>) -> Self {
        Self { name: name.to_owned(), unit, goal, rounds }
    }

    /// One without a floor.
    pub fn alone(name: &str, unit: &'static str, goal: f64, found: Vec<f64>) -> Self {
        Self::new(name, unit, Goal::Most(goal), found.into_iter().map(|found| (found, None)).collect())
    }

    fn found(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|(found, _)| *found).collect())
    }

    fn floor(&self) -> Option<Spread> {
        let floors: Option<Vec<f64>> = self.rounds.iter().map(|(_, floor)| *floor).collect();
        floors.map(Spread::of)
    }

    /// How many times the floor of its own round each is.
    fn ratio(&self) -> Option<Spread> {
        let ratios: Option<Vec<f64>> =
            self.rounds.iter().map(|(found, floor)| floor.map(|floor| found / floor)).collect();
        ratios.map(Spread::of)
    }

    /// By the median.
    fn is_reached(&self) -> bool {
        match self.goal {
            Goal::Times(most) => self.ratio().is_some_and(|ratio| ratio.median <= most),
            Goal::Most(most) => self.found().median <= most,
            Goal::FloorAnd(more) => self.floor().is_some_and(|floor| self.found().median <= floor.median + more),
        }
    }

    fn goal_words(&self) -> String {
        match self.goal {
            Goal::Times(most) => format!("at most {most} × floor"),
            Goal::Most(most) => format!("at most {most} {}", self.unit),
            Goal::FloorAnd(more) => format!("at most floor + {more} {}", self.unit),
        }
    }

    /// A row of the table.
    pub fn line(&self) -> String {
        let floor = self.floor().map_or_else(|| "-".to_owned(), |floor| format!("{} {}", floor.words(), self.unit));
        let ratio = self.ratio().map_or_else(|| "-".to_owned(), |ratio| ratio.words());
        let reached = if self.is_reached() { "reached" } else { "**missed**" };
        let (goal, found) = (self.goal_words(), self.found().words());
        format!("| {} | {goal} | {found} {} | {floor} | {ratio} | {reached} |", self.name, self.unit)
    }

    fn json(&self) -> Value {
        let rounds: Vec<Value> =
            self.rounds.iter().map(|(found, floor)| json!({ "found": found, "floor": floor })).collect();
        json!({
            "name": self.name,
            "unit": self.unit,
            "goal": self.goal_words(),
            "reached": self.is_reached(),
            "median": self.found().median,
            "ratio": self.ratio().map(|ratio| ratio.median),
            "rounds": rounds,
        })
    }
}

/// A median with its range.
#[derive(Clone, Copy, Debug)]
struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

impl Spread {
    fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_unstable_by(f64::total_cmp);
        let at = |place: usize| samples.get(place).copied().unwrap_or(f64::NAN);
        Self { least: at(0), median: at(samples.len() / 2), most: at(samples.len().saturating_sub(1)) }
    }

    fn words(&self) -> String {
        let Self { least, median, most } = self;
        let digits = if *median < 10.0 { 2 } else { 0 };
        format!("{median:.digits$} ({least:.digits$}-{most:.digits$})")
    }
}

/// The middle, and the 99th percentile, of something that was measured many times.
pub fn percentiles(mut samples: Vec<f64>) -> (f64, f64) {
    samples.sort_unstable_by(f64::total_cmp);
    let at =
        |percent: usize| samples.get((samples.len() * percent / 100).min(samples.len().saturating_sub(1))).copied();
    (at(50).unwrap_or(f64::NAN), at(99).unwrap_or(f64::NAN))
}

/// All figures of a run.
#[derive(Default)]
pub struct Table(Vec<Figure>);

impl Table {
    pub fn add(&mut self, figure: Figure) {
        self.0.push(figure);
    }

    /// Writes `target/bench/figures.json`; gives all figures, with those that were measured before.
    pub fn keep(&self) -> Self {
        let project = project();
        let folder =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| project.join("target"), PathBuf::from).join("bench");
        std::fs::create_dir_all(&folder).unwrap();
        let before = MEASURED_BEFORE.iter().flat_map(|name| measured_before(&folder.join(name)));
        let all = Self(self.0.iter().cloned().chain(before).collect());
        let figures: Vec<Value> = all.0.iter().map(Figure::json).collect();
        std::fs::write(folder.join("figures.json"), serde_json::to_string_pretty(&figures).unwrap()).unwrap();
        all
    }

    /// The same, and the table into `BENCHMARKS.md` when all was measured.
    pub fn write(&self) {
        let all = self.keep();
        if std::env::var_os("PORTAL_BENCH_ONLY").is_none() {
            all.write_document(&project().join("BENCHMARKS.md"));
        }
    }

    fn write_document(&self, path: &Path) {
        let document = std::fs::read_to_string(path).unwrap();
        let (before, rest) = document.split_once(BEGIN).unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        let rows: Vec<String> = self.0.iter().map(Figure::line).collect();
        let machine = std::env::var("PORTAL_BENCH_MACHINE");
        let machine = machine.unwrap_or_else(|_| "`make bench` says when and on what this was measured.".to_owned());
        let head = "| figure | to reach | median (range) | floor | ratio | |\n| --- | --- | --- | --- | --- | --- |";
        let table = format!("{BEGIN}\n\n{machine}\n\n{head}\n{}\n\n{END}", rows.join("\n"));
        std::fs::write(path, format!("{before}{table}{after}")).unwrap();
    }
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// What was measured before this, by others: in a browser, and of the record.
const MEASURED_BEFORE: [&str; 2] = ["browser.json", "record.json"];

fn measured_before(path: &Path) -> Vec<Figure> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|_| "[]".to_owned());
    let figures: Vec<Value> = serde_json::from_str(&text).unwrap();
    let read = |figure: &Value| {
        let unit = ["ms", "s", "MiB"].into_iter().find(|unit| figure["unit"].as_str() == Some(*unit)).unwrap();
        let (name, goal) = (figure["name"].as_str().unwrap(), figure["goal"].as_f64().unwrap());
        let rounds = figure["rounds"].as_array().unwrap().iter();
        let rounds = rounds.map(|round| (round["found"].as_f64().unwrap(), round["floor"].as_f64()));
        Figure::new(name, unit, Goal::Most(goal), rounds.collect())
    };
    figures.iter().map(read).collect()
}
