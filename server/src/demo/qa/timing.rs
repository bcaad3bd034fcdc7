//! How long the steps of an enrolment took, and what the chip was asked for meanwhile, as bars on one
//! axis of time.

use super::explain::{Kind, Protocols};
use super::trace::Traced;
use crate::pages::texts::Language;

/// Width of the part with the bars, and of that with their names, in units of the picture.
const BARS: f64 = 560.0;
const NAMES: f64 = 190.0;
const ROW: f64 = 30.0;
/// Space above the rows, for the axis.
const TOP: f64 = 26.0;
/// The least that is seen of a bar.
const LEAST: f64 = 1.5;

/// The picture.
pub(super) struct Chart {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) ticks: Vec<Tick>,
    pub(super) rows: Vec<Row>,
}

/// A line of the axis.
pub(super) struct Tick {
    pub(super) x: f64,
    pub(super) label: String,
}

/// One row: a step, or what was done with the chip during it.
pub(super) struct Row {
    pub(super) label: String,
    /// Part of the step above it.
    pub(super) inner: bool,
    /// Milliseconds in all.
    pub(super) took: String,
    /// Where its text and its bars are.
    pub(super) text_y: f64,
    pub(super) y: f64,
    pub(super) bars: Vec<Bar>,
}

/// A bar of a row.
pub(super) struct Bar {
    pub(super) x: f64,
    pub(super) width: f64,
}

/// What takes time: microseconds since the start.
struct Times {
    label: String,
    inner: bool,
    spans: Vec<(u64, u64)>,
}

impl Chart {
    /// The picture of `traced`; nothing if nothing was timed.
    pub(super) fn of(traced: &Traced, lang: Language) -> Option<Self> {
        let times = times(traced, lang);
        let end = times.iter().flat_map(|row| &row.spans).map(|(from, took)| from + took).max()?;
        let scale = BARS / as_f64(end.max(1));
        let rows = times.into_iter().zip(0..).map(|(times, at)| row(times, f64::from(at), scale));
        let rows: Vec<Row> = rows.collect();
        let height = TOP + ROW * as_f64(u64::try_from(rows.len()).unwrap_or(0)) + 4.0;
        Some(Self { width: NAMES + BARS + 60.0, height, ticks: ticks(end, scale), rows })
    }
}

fn row(Times { label, inner, spans }: Times, at: f64, scale: f64) -> Row {
    let took: u64 = spans.iter().map(|(_, took)| took).sum();
    let bar = |(from, took): &(u64, u64)| Bar {
        x: NAMES + as_f64(*from) * scale,
        width: (as_f64(*took) * scale).max(LEAST),
    };
    let y = TOP + at * ROW;
    let bars = spans.iter().map(bar).collect();
    Row { label, inner, took: milliseconds(took), text_y: y + 17.0, y: y + 4.0, bars }
}

/// The steps in their order, and below that of the chip the kinds of commands.
fn times(traced: &Traced, lang: Language) -> Vec<Times> {
    let mut rows = Vec::new();
    for step in &traced.steps {
        let id = match step.name.as_str() {
            "start" => "qa-step-start",
            "page" => "demo-step-page",
            "chip" => "demo-step-chip",
            "face" => "demo-step-face",
            _ => "demo-step-decision",
        };
        let spans = vec![(step.at_us, step.took_us)];
        rows.push(Times { label: lang.t(id), inner: false, spans });
        if step.name == "chip" {
            rows.extend(kinds(traced, lang));
        }
    }
    rows
}

/// When which kind of command went to the chip: from one's beginning to its end, or to the next of
/// the same kind.
fn kinds(traced: &Traced, lang: Language) -> Vec<Times> {
    let mut protocols = Protocols::default();
    let mut spans: Vec<(Kind, u64, u64)> = Vec::new();
    for exchange in &traced.exchanges {
        let kind = protocols.kind(exchange.plain());
        let end = exchange.at_us + exchange.took_us;
        match spans.last_mut() {
            Some((last, _, until)) if *last == kind => *until = end,
            _ => spans.push((kind, exchange.at_us, end)),
        }
    }
    let of = |kind: Kind| {
        let mine = spans.iter().filter(|(one, ..)| *one == kind);
        let spans: Vec<_> = mine.map(|(_, from, until)| (*from, until - from)).collect();
        (!spans.is_empty()).then(|| Times { label: lang.t(kind.text()), inner: true, spans })
    };
    Kind::ALL.into_iter().filter_map(of).collect()
}

/// Lines at round times, four to eight of them.
fn ticks(end: u64, scale: f64) -> Vec<Tick> {
    let steps = (3..10).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    let step = steps.into_iter().find(|step| end / step <= 8).unwrap_or(end.max(1));
    let at = |at: u64| Tick { x: NAMES + as_f64(at) * scale, label: milliseconds(at) };
    (0..=end / step).map(|number| at(number * step)).collect()
}

/// `1234.5` microseconds are `1`.
fn milliseconds(us: u64) -> String {
    format!("{} ms", us / 1_000)
}

#[expect(clippy::cast_precision_loss, reason = "times of minutes at most")]
fn as_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_lie_on_one_axis_and_the_chips_commands_below_its_step() {
        let traced = serde_json::json!({
            "steps": [{"name": "start", "at_us": 0, "took_us": 10_000},
                      {"name": "chip", "at_us": 10_000, "took_us": 90_000}],
            "exchanges": [
                {"at_us": 20_000, "took_us": 5_000, "command": "00A4040C07A0000002471001", "reply": "9000"},
                {"at_us": 30_000, "took_us": 1_000, "command": "0084000008", "reply": "00112233445566779000"},
                {"at_us": 40_000, "took_us": 2_000, "command": "00B0000000", "reply": "9000"},
                {"at_us": 60_000, "took_us": 10_000, "command": "00B0000400", "reply": "9000"}]});
        let traced: Traced = serde_json::from_value(traced).unwrap();
        let chart = Chart::of(&traced, Language::En).unwrap();
        let took: Vec<_> = chart.rows.iter().map(|row| (row.inner, row.took.as_str())).collect();
        assert_eq!(
            took,
            [(false, "10 ms"), (false, "90 ms"), (true, "5 ms"), (true, "1 ms"), (true, "30 ms")]
        );
        let last = chart.rows.last().unwrap().bars.first().unwrap();
        assert!(
            (last.x - (NAMES + BARS * 0.4)).abs() < 0.01 && (last.width - BARS * 0.3).abs() < 0.01
        );
        assert_eq!(chart.ticks.last().unwrap().label, "100 ms");
        assert!(Chart::of(&Traced::default(), Language::Da).is_none());
    }
}
