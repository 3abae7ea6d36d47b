//! What a step holds, in the order of the document.

use domain::plan::PlanCommand;
use domain::runbook::{CodeBlock, Item, StepContent};
use leptos::prelude::*;

use super::glyph::{Glyph, Sign};
use super::prose::{ProseView, inline};

/// What a step holds. Commands and ticks are drawn by the page that shows the step; both are counted from 1.
pub fn step_content(
    content: &[StepContent],
    commands: &[PlanCommand],
    show_command: impl Fn(u32, &PlanCommand) -> AnyView,
    show_tick: impl Fn(u32, &Item) -> AnyView,
) -> Vec<AnyView> {
    let mut numbered = (1..).zip(commands);
    let mut ticks = 0;
    let mut views = Vec::new();
    let mut run: Vec<AnyView> = Vec::new();
    for content in content {
        // Neighbouring lines belong to one list.
        if !matches!(content, StepContent::Item { .. }) && !run.is_empty() {
            views.push(list(std::mem::take(&mut run)));
        }
        match content {
            StepContent::Prose { prose } => {
                views.push(view! { <div class="prose"><ProseView prose=vec![prose.clone()] /></div> }.into_any());
            }
            StepContent::Note { prose } => views.push(note(prose.clone())),
            StepContent::Item { item } => run.push(tick_item(item, &mut ticks, &show_tick)),
            StepContent::Block { block } if block.commands.is_empty() => views.push(shown(block)),
            StepContent::Block { block } => {
                for (number, command) in numbered.by_ref().take(block.commands.len()) {
                    views.push(show_command(number, command));
                }
            }
        }
    }
    if !run.is_empty() {
        views.push(list(run));
    }
    views
}

fn list(items: Vec<AnyView>) -> AnyView {
    view! { <ul class="checks">{items}</ul> }.into_any()
}

/// A line that is ticked, or the heading of lines that are.
pub fn tick_item(item: &Item, ticks: &mut u32, show: &impl Fn(u32, &Item) -> AnyView) -> AnyView {
    if item.items.is_empty() {
        *ticks += 1;
        return show(*ticks, item);
    }
    let below: Vec<AnyView> = item.items.iter().map(|item| tick_item(item, ticks, show)).collect();
    view! {
        <li class="group">
            <p>{inline(item.words.clone())}</p>
            <ul class="checks">{below}</ul>
        </li>
    }
    .into_any()
}

fn note(prose: Vec<domain::runbook::Prose>) -> AnyView {
    view! {
        <div class="hint" role="note">
            <Glyph sign=Sign::Info />
            <div class="prose"><ProseView prose /></div>
        </div>
    }
    .into_any()
}

fn shown(block: &CodeBlock) -> AnyView {
    let language = block.language.clone().map(|language| view! { <p class="label">{language}", shown only"</p> });
    view! {
        <div class="cmd">
            {language}
            <pre class="shown"><code>{block.text.clone()}</code></pre>
        </div>
    }
    .into_any()
}
