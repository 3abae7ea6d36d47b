//! A step with a directory of its own: it runs there, and the next one where the run was before.

use std::path::Path;

use axum::body::Body;
use http::{StatusCode, header};
use tempfile::TempDir;

use crate::approval_pages::text;
use crate::site::{Served, call};

const DOCUMENT: &str = "# Ship

## Steps

1. **Before**

   ```bash
   touch before
   ```

2. **Build**

   ```bash
   touch build && cd /
   ```

3. **Behind**

   ```bash
   touch behind
   ```
";

/// A run whose second step has a directory of its own.
struct Shipping {
    site: Served,
    work: TempDir,
    own: TempDir,
    cookie: String,
}

impl Shipping {
    async fn begun() -> Self {
        let site = Served::with_document("ship.md", DOCUMENT.as_bytes()).await;
        let (work, own) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (run, step) = (name(work.path()), name(own.path()));
        let keys = format!("directory = {run:?}\n[procedure.Ship.step.Build]\ndirectory = {step:?}\n");
        site.write("ship.portal.toml", &keys);
        let cookie = site.administrator().await;
        let shipping = Self { site, work, own, cookie };
        shipping.done("/api/runs/start", "slug=ship&target=local&key=k").await;
        shipping
    }

    async fn done(&self, path: &str, form: &str) {
        let call = call(path).header(header::COOKIE, &self.cookie);
        let answer = self.site.send(call.body(Body::from(form.to_owned())).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    }

    /// The only attempt at a step, to its end.
    async fn runs(&self, step: u32) {
        self.done("/api/runs/run", &format!("run=1&step={step}&attempt=1&commands=1")).await;
        self.site.ended(1, step).await;
    }

    async fn page(&self, step: u32) -> String {
        text(&self.site.get(&format!("/runs/1?step={step}"), &self.cookie).await.body)
    }
}

fn name(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_runs_in_its_own_directory_and_the_next_one_where_the_run_was_before() {
    let shipping = Shipping::begun().await;
    let (work, own) = (shipping.work.path(), shipping.own.path());

    shipping.runs(1).await;
    let page = shipping.page(2).await;
    assert!(page.contains(&format!("This step has a directory of its own, {}", name(own))), "{page}");
    assert!(page.contains("is for that step alone"), "{page}");
    shipping.runs(2).await;
    shipping.runs(3).await;

    assert!(own.join("build").exists() && !work.join("build").exists());
    assert!(work.join("before").exists() && work.join("behind").exists());
    let page = shipping.page(3).await;
    assert!(!page.contains("a directory of its own"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_sets_at_that_step_wins_and_moves_nothing_else() {
    let shipping = Shipping::begun().await;
    let other = tempfile::tempdir().unwrap();

    shipping.runs(1).await;
    shipping.done("/api/runs/directory", &format!("run=1&path={}", name(other.path()))).await;
    shipping.runs(2).await;
    shipping.runs(3).await;

    assert!(other.path().join("build").exists() && !shipping.own.path().join("build").exists());
    assert!(shipping.work.path().join("behind").exists());
}
