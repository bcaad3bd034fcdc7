//! Measures how well the engine tells people apart, and writes the thresholds that it found.
//!
//! ```sh
//! cargo run --release -p liveness --example verification -- data/models [THRESHOLDS_TOML]
//! ```
//!
//! Reads `faces/lfw-subset` with its `PAIRS.tsv` under `INDRUL_FIELD_DATA`: of every picture the face
//! nearest its middle, which is the one that its name means, is described once; the pairs labelled 1
//! are the same people, and every two pictures of people of different name are different people. With
//! a second argument the `[verification]` table of that file is replaced by what was measured.
//! Third-party photographs: for measuring only.

mod field;
mod fusion;
mod measures;
mod portraits;
mod protocol;
mod rates;
mod resampled;
mod table;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use liveness::{Engine, Role};

use field::Field;
use fusion::Fusion;
use protocol::{Pairs, Pictures};
use rates::Rates;
use table::{Measured, TABLE};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let mut arguments = env::args().skip(1);
    let models = arguments.next().ok_or("usage: verification MODELS_DIR [THRESHOLDS_TOML]")?;
    let folder = env::var("INDRUL_FIELD_DATA").unwrap_or_else(|_| "../shared/data".into());
    let engine = Engine::load(Path::new(&models))?;
    let field = Field::open(&PathBuf::from(folder).join("faces/lfw-subset"))?;
    let pictures = Pictures::describe(&engine, &field);
    pictures.show();
    let measured = pictures_apart(&pictures, &field)?;
    let text = measured.table(Path::new(&models))?;
    if let Some(target) = arguments.next() {
        let before = fs::read_to_string(&target)?;
        let kept = before.split_once(TABLE).map_or(before.as_str(), |(kept, _)| kept);
        fs::write(target, format!("{kept}{text}"))?;
    }
    portraits_apart(&engine, &field, &pictures, &measured);
    show(
        "Not measured: people of different sex, age and origin apart. The pictures have no labels of",
    );
    show("these, and guessing them from names would measure the guess.\n");
    show(&text);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command line tool")]
fn show(text: &str) {
    println!("{text}");
}

/// Pictures as they are: each network alone, all together, and templates of several.
fn pictures_apart(pictures: &Pictures, field: &Field) -> Outcome<Measured> {
    let pairs = Pairs::of(pictures, field);
    let fusion = Fusion::fit(&pairs.cosines())?;
    show(Rates::HEADING);
    for (at, role) in Role::RECOGNITION.into_iter().enumerate() {
        let alone = pairs.rates(|agreement| fusion::cosine(agreement, at));
        show(&alone.row(&format!("{role} alone, picture with picture")));
    }
    let one = pairs.rates(|agreement| fusion.similarity(agreement));
    show(&one.row("all three, picture with picture"));
    let others = protocol::learnt_on_others(&pairs)?;
    show(&others.row("the same, weights learnt on other people than those judged"));
    let (several, people) = protocol::several(pictures, pictures, &fusion);
    show(&several.row("all three, picture with a template of five"));
    show(&resampled::row(
        "  of 1,000 draws of as many of its people, 95 in 100 within",
        &several,
        &people,
    ));
    show(&several.at_row("the same at the thresholds of one picture", &one));
    Ok(Measured {
        pictures: pictures.count(),
        unusable: pictures.unusable.len(),
        fusion,
        one,
        several,
    })
}

/// One side as chips hold it.
fn portraits_apart(engine: &Engine, field: &Field, pictures: &Pictures, measured: &Measured) {
    for variant in &portraits::VARIANTS {
        let chips = protocol::chips(engine, field, pictures, variant);
        let one = protocol::against_pictures(&chips, pictures, field, &measured.fusion);
        show(&one.row(&format!("{}, with picture", variant.name)));
        show(&one.at_row("  at the thresholds of pictures", &measured.one));
        if variant.every == 1 {
            let (several, _) = protocol::several(&chips, pictures, &measured.fusion);
            show(&several.row(&format!("{}, with a template of five", variant.name)));
            show(&several.at_row("  at the thresholds of templates", &measured.several));
        }
        if !chips.unusable.is_empty() {
            show(&format!("  unusable: {}", chips.unusable.join(", ")));
        }
    }
}
