//! Measures how long the engine takes, beside onnxruntime where `INDRUL_PEER` names a Python that has
//! it: `scripts/face-speed` makes one and runs this.
//!
//! ```sh
//! cargo run --release -p liveness --example speed -- DATA_DIR [ROUNDS]
//! ```
//!
//! Every network runs in turns with its peer, one thread each, on the same numbers; then a frame with
//! all that belongs to it, a picture of 12 megapixels, and two comparisons at a time.

use std::env;
use std::fs;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Instant;

use cpu_time::ThreadTime;
use image::{RgbImage, imageops};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use liveness::{Engine, Role, portrait};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How many inputs each network has for a frame: a face is described with its mirror image, both at
/// once here, one after the other there, where the networks take one.
const FRAME: [(Role, usize); 6] = [
    (Role::Detection, 1),
    (Role::Landmarks, 1),
    (Role::RecognitionA, 2),
    (Role::RecognitionB, 2),
    (Role::RecognitionC, 2),
    (Role::Attack, 1),
];

fn main() -> Outcome<()> {
    let mut arguments = env::args().skip(1);
    let data = PathBuf::from(arguments.next().ok_or("usage: speed DATA_DIR [ROUNDS]")?);
    let rounds = arguments.next().map_or(Ok(40), |rounds| rounds.parse())?;
    let engine = Engine::load(&data.join("models"))?;
    let peer = env::var("INDRUL_PEER").ok().map(|python| Peer::start(&python, &data));
    networks(&engine, peer.transpose()?, rounds)?;
    let selfie = fs::read(data.join("portraits/obama2.jpg"))?;
    frame(&engine, &portrait::decode(&selfie)?, rounds)?;
    for sampling in [SamplingFactor::R_4_2_0, SamplingFactor::R_4_4_4] {
        large(&engine, &portrait::decode(&selfie)?, sampling, rounds.min(15))?;
    }
    side_by_side(&engine, &portrait::decode(&selfie)?, rounds.min(15))
}

/// onnxruntime in a process of its own.
struct Peer {
    child: Child,
    asked: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    fn start(python: &str, data: &Path) -> Outcome<Peer> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/peer.py");
        let mut command = Command::new(python);
        command.arg("-B").arg(script).arg(data.join("models"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let asked = child.stdin.take().ok_or("the peer takes no questions")?;
        let answers = BufReader::new(child.stdout.take().ok_or("the peer gives no answers")?);
        Ok(Peer { child, asked, answers })
    }

    fn seconds(&mut self, role: Role) -> Outcome<f64> {
        writeln!(self.asked, "{role}")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line.trim().parse()?)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was measured of one thing.
#[derive(Default)]
struct Times(Vec<f64>);

impl Times {
    /// Of a processor, so that others' work does not count.
    fn add(&mut self, work: impl FnOnce() -> Outcome<()>) -> Outcome<()> {
        let start = ThreadTime::now();
        work()?;
        self.0.push(start.elapsed().as_secs_f64());
        Ok(())
    }

    fn add_by_the_clock(&mut self, work: impl FnOnce() -> Outcome<()>) -> Outcome<()> {
        let start = Instant::now();
        work()?;
        self.0.push(start.elapsed().as_secs_f64());
        Ok(())
    }

    fn least(&self) -> f64 {
        1e3 * self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        1e3 * sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

fn networks(engine: &Engine, mut peer: Option<Peer>, rounds: usize) -> Outcome<()> {
    let mut times: Vec<(Times, Times)> = Vec::new();
    times.resize_with(FRAME.len(), Default::default);
    for _ in 0..rounds {
        for ((role, count), (own, others)) in FRAME.iter().zip(&mut times) {
            let size = engine.input_shape(*role).ok_or("not installed")?.iter().product();
            let inputs = vec![waves(size); *count];
            own.add(|| {
                black_box(engine.infer(*role, &inputs).ok_or("not installed")??);
                Ok(())
            })?;
            if let Some(peer) = &mut peer {
                let seconds = (0..*count).map(|_| peer.seconds(*role));
                others.0.push(seconds.sum::<Outcome<f64>>()?);
            }
        }
    }
    show(&format!(
        "{rounds} frames in turns, one thread; least and median milliseconds of a processor"
    ));
    show(&format!("{:16} {:>15} {:>15} {:>15}", "", "here", "onnxruntime", "ratio"));
    let mut sums = [0.0; 4];
    for ((role, count), (own, other)) in FRAME.iter().zip(&times) {
        let row = [own.least(), own.median(), other.least(), other.median()];
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        show(&line(&format!("{role} x{count}"), row));
    }
    show(&line("a frame", sums));
    Ok(())
}

/// What `models/record.py` gives the peer, between 0 and 1.
fn waves(count: usize) -> Vec<f32> {
    (0..count).map(|at| (at * 7 % 256 + at * at / 64 % 256) as f32 / 512.0).collect()
}

fn line(name: &str, [own, own_median, other, other_median]: [f64; 4]) -> String {
    let (least, median) = (own / other, own_median / other_median);
    let own = format!("{own:7.2} {own_median:7.2}");
    format!("{name:16} {own} {other:7.2} {other_median:7.2} {least:7.2} {median:7.2}")
}

/// With cutting out, quality and all.
fn frame(engine: &Engine, image: &RgbImage, rounds: usize) -> Outcome<()> {
    let mut times = Times::default();
    for _ in 0..rounds {
        times.add(|| {
            let face = engine.analyse(image)?;
            black_box(engine.attack(image, &face)?);
            Ok(())
        })?;
    }
    let size = image.dimensions();
    let (least, median) = (times.least(), times.median());
    show(&format!("a whole frame of {size:?}, described and judged: {least:.1} {median:.1} ms"));
    Ok(())
}

/// Decoding and alignment of a selfie of 12 megapixels that lies on its side. A phone keeps a quarter of
/// the colours (4:2:0).
fn large(
    engine: &Engine,
    image: &RgbImage,
    sampling: SamplingFactor,
    rounds: usize,
) -> Outcome<()> {
    let bytes = selfie(image, sampling)?;
    let [mut decoding, mut aligning, mut judging, mut whole] = [(); 4].map(|()| Times::default());
    for _ in 0..rounds {
        decoding.add(|| {
            black_box(portrait::decode(&bytes)?);
            Ok(())
        })?;
        aligning.add(|| {
            black_box(engine.aligned(&portrait::decode(&bytes)?)?);
            Ok(())
        })?;
        judging.add(|| {
            black_box(engine.look(&portrait::decode(&bytes)?)?);
            Ok(())
        })?;
        whole.add(|| {
            engine.analyse(&portrait::decode(&bytes)?)?;
            Ok(())
        })?;
    }
    let size = portrait::decode(&bytes)?.dimensions();
    show(&format!(
        "a selfie of 12 megapixels, {sampling:?}, {} bytes, decoded to {size:?}, ms:",
        bytes.len()
    ));
    let steps = [
        ("decoded", decoding),
        ("and found and aligned", aligning),
        ("and judged", judging),
        ("and described", whole),
    ];
    for (step, times) in steps {
        show(&format!("  {step:24} {:7.1} {:7.1}", times.least(), times.median()));
    }
    Ok(())
}

/// The picture as a phone would store it: 4000 by 3000 with a sensor's noise, to be turned when shown.
fn selfie(image: &RgbImage, sampling: SamplingFactor) -> Outcome<Vec<u8>> {
    let upright = imageops::resize(image, 3000, 4000, imageops::FilterType::Triangle);
    let mut stored = imageops::rotate270(&upright);
    let mut state = 1u32;
    for value in stored.iter_mut() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *value = value.saturating_add_signed((state >> 29) as i8 - 4);
    }
    // Exif 2.32 §4.6.4: the row 0 is the right side.
    let exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 85);
    encoder.set_sampling_factor(sampling);
    encoder.add_app_segment(1, exif.to_vec())?;
    encoder.encode(&stored, 4000, 3000, ColorType::Rgb)?;
    Ok(bytes)
}

/// Two comparisons, one after the other and at the same time.
fn side_by_side(engine: &Engine, image: &RgbImage, rounds: usize) -> Outcome<()> {
    let (mut after, mut beside) = (Times::default(), Times::default());
    let once = || -> Outcome<()> {
        black_box(engine.analyse(image)?);
        Ok(())
    };
    for _ in 0..rounds {
        after.add_by_the_clock(|| once().and_then(|()| once()))?;
        beside.add_by_the_clock(|| {
            thread::scope(|scope| {
                let other = scope.spawn(once);
                once()?;
                other.join().map_err(|_| "a thread panicked")?
            })
        })?;
    }
    let ratio = beside.least() / after.least();
    show(&format!("two frames at a time take {ratio:.2} of two in turn (0.5: neither waits)"));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command line tool")]
fn show(text: &str) {
    println!("{text}");
}
