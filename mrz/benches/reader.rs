//! What reading an MRZ costs in processor time on one thread, after decoding:
//! `cargo bench -p mrz --bench reader`.
//!
//! - clear, turned: photographs of 12 megapixels in which nothing was located before, one of them on
//!   its side, dim at one end, noisy and compressed.
//! - blurred, soft, none: the same so blurred that nothing can be read, half as blurred, and the upper
//!   half of the page twice, which has no MRZ: what a refusal costs.
//! - frame: a frame of 1280 by 720 of a video whose frame before was located; each run is another
//!   frame, and the first of each video is not counted.
//! - lost: such a frame without an MRZ.
//!
//! Processor time as Linux counts it (`/proc/thread-self/schedstat`), the median and the most.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a figure is measured, and a fault ends the run"
)]

#[path = "../tests/pages/mod.rs"]
mod pages;

use std::{fs, time::Duration};

use image::DynamicImage;
use mrz::reader::MrzReader;
use pages::{Dice, SCAN, Shot, page, take};

const LINES: [&str; 2] = [
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
];
const RUNS: usize = 20;
const HAND: Shot =
    Shot { width: 4000, margin: 0.2, degrees: 8.0, noise: 4.0, jpeg: Some(85), ..SCAN };

fn main() {
    let reader = MrzReader::new().unwrap();
    let mut dice = Dice(7);
    let drawn = page(&LINES.map(str::to_owned), 12.0, &mut dice);
    let mut photo = |shot: Shot| -> DynamicImage { take(&drawn, shot, &mut dice).to_rgb8().into() };

    let clear = photo(HAND);
    let turned = Shot { degrees: 22.0, noise: 12.0, light: (0.4, 1.0), jpeg: Some(50), ..HAND };
    let turned = photo(turned).rotate90();
    let blurred = clear.fast_blur(24.0);
    let soft = clear.fast_blur(12.0);
    let upper = clear.crop_imm(0, 0, clear.width(), clear.height() / 2);
    let mut none = clear.clone();
    image::imageops::replace(&mut none, &upper, 0, i64::from(upper.height()));
    for (what, picture, valid) in [
        ("clear", &clear, true),
        ("turned", &turned, true),
        ("blurred", &blurred, false),
        ("soft", &soft, false),
        ("none", &none, false),
    ] {
        let mut times: Vec<Duration> =
            (0..RUNS).map(|_| measured(valid, || reader.read(picture).valid)).collect();
        told(what, picture, &mut times);
    }

    let mut frame = |degrees: f32| -> DynamicImage {
        let whole = photo(Shot { width: 1280, margin: 0.08, degrees, ..HAND });
        let top = whole.height() - 720;
        whole.crop_imm(0, top, 1280, 720).to_rgb8().into()
    };
    let frames: Vec<DynamicImage> = (0..=RUNS).map(|at| frame(4.0 + 0.1 * at as f32)).collect();
    let mut following: Vec<Duration> = frames
        .windows(2)
        .map(|pair| {
            let mut video = reader.fresh();
            video.push(&pair[0]);
            measured(true, || video.push(&pair[1]).lines == LINES)
        })
        .collect();
    told("frame", &frames[0], &mut following);
    let lost = upper.resize_exact(1280, 720, image::imageops::Triangle);
    let mut times: Vec<Duration> =
        (0..RUNS).map(|_| measured(false, || reader.fresh().push(&lost).valid)).collect();
    told("lost", &lost, &mut times);
}

/// The processor time of a run, which must end as expected: anything else measures nothing.
fn measured(valid: bool, run: impl FnOnce() -> bool) -> Duration {
    let before = spent();
    assert_eq!(run(), valid);
    spent() - before
}

/// What this thread has spent so far.
fn spent() -> Duration {
    let told = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(told.split(' ').next().unwrap().parse().unwrap())
}

fn told(what: &str, picture: &DynamicImage, times: &mut [Duration]) {
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "{what:<8} {:>5} x {:<5} median {:>6.1} ms, most {:>6.1} ms",
        picture.width(),
        picture.height(),
        ms(times[times.len() / 2]),
        ms(times[times.len() - 1]),
    );
}
