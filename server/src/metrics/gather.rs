//! What is counted elsewhere, asked when somebody looks.

use super::{Name, Text, cpu};
use crate::app::App;
use crate::inference::Load;
use crate::registers::Health;
use crate::storage::StorageError;
use std::time::Duration;
use tokio::time::timeout;

const RELAYS_OPEN: Name = Name("indrul_relays_open", "Chip relays open now.");
const WORKERS: Name = Name("indrul_inference_workers", "Workers that look at pictures.");
const RUNNING: Name = Name("indrul_inference_running", "Pictures looked at now.");
const WAITING: Name = Name("indrul_inference_waiting", "Pictures that wait for a worker.");
const WAIT: Name = Name("indrul_inference_wait_seconds", "Wait of a picture that came now.");
const DONE: Name = Name("indrul_inference_done_total", "Pictures looked at.");
const REFUSED: Name = Name("indrul_inference_refused_total", "Pictures refused: too many waited.");
const BROKEN: Name =
    Name("indrul_inference_broken_total", "Pictures at which an instrument broke.");
const SPENT: Name = Name("indrul_inference_seconds_total", "Time spent looking at pictures.");
const CALLS: Name =
    Name("indrul_register_calls_total", "Calls of registers, by what came of them.");
const REST: Name = Name("indrul_register_open", "Whether a register is left alone for a while.");

const UNSENT: Name = Name("indrul_outbox_waiting", "Messages that wait to be delivered.");
const DEAD: Name = Name("indrul_outbox_dead", "Messages that were given up and are kept.");

const CPU: Name = Name("indrul_cpu_seconds_total", "Processor time spent, by what for.");
const CPU_ALL: Name = Name("process_cpu_seconds_total", "Processor time of the process.");

/// The whole text. What the database does not tell is left out.
pub async fn gather(app: &App) -> String {
    let mut text = Text::default();
    app.metrics.render(&mut text);
    text.value(RELAYS_OPEN, "gauge", &[], app.ending.relays());
    inference(&mut text, &app.inference.load());
    registers(&mut text, &app.parts.registers.health());
    for (work, spent) in app.cpu.spent() {
        text.value(CPU, "counter", &[("work", work.into())], spent.as_secs_f64());
    }
    if let Some(spent) = cpu::of_process() {
        text.value(CPU_ALL, "counter", &[], spent.as_secs_f64());
    }
    if let Ok(Ok((waiting, dead))) = timeout(WAIT_FOR_ROWS, outbox(app)).await {
        text.value(UNSENT, "gauge", &[], waiting);
        text.value(DEAD, "gauge", &[], dead);
    }
    text.text
}

/// Longest wait for the database.
const WAIT_FOR_ROWS: Duration = Duration::from_secs(2);

async fn outbox(app: &App) -> Result<(i64, i64), StorageError> {
    app.parts.store.read().await?.outbox_size().await
}

fn inference(text: &mut Text, load: &Load) {
    text.value(WORKERS, "gauge", &[], load.workers);
    text.value(RUNNING, "gauge", &[], load.running);
    text.value(WAITING, "gauge", &[], load.waiting);
    text.value(WAIT, "gauge", &[], load.wait.as_secs_f64());
    text.value(DONE, "counter", &[], load.done);
    text.value(REFUSED, "counter", &[], load.refused);
    text.value(BROKEN, "counter", &[], load.broken);
    text.value(SPENT, "counter", &[], load.spent.as_secs_f64());
}

fn registers(text: &mut Text, found: &[Health]) {
    for health in found {
        let outcomes =
            [("answered", health.answered), ("failed", health.failed), ("spared", health.spared)];
        for (outcome, count) in outcomes {
            let labels = [("register", health.register.into()), ("outcome", outcome.into())];
            text.value(CALLS, "counter", &labels, count);
        }
    }
    for health in found {
        text.value(REST, "gauge", &[("register", health.register.into())], u8::from(health.open));
    }
}
