//! What is counted elsewhere, asked when somebody looks.

use super::{Name, Text};
use crate::app::App;
use crate::inference::Load;
use crate::registers::Health;

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

/// The whole text.
#[must_use]
pub fn gather(app: &App) -> String {
    let mut text = Text::default();
    app.metrics.render(&mut text);
    text.value(RELAYS_OPEN, "gauge", &[], app.ending.relays());
    inference(&mut text, &app.inference.load());
    registers(&mut text, &app.parts.registers.health());
    text.text
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
