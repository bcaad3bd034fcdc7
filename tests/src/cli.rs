//! `fixtures list | make | plug | run | enrol | conformance | requirements | figures | captures | attacks | morphs | load` (INTERFACES, *`fixtures` by example*).
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the command line")]

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::AtomicBool,
};

use clap::{Parser, Subcommand};
use fixtures::{
    capture::Species,
    catalogue::{self, Entry},
    chip::{Chip, Profile},
    passport::Passport,
    portraits::Portraits,
    spec::Spec,
};
use liveness::Engine;
use serde_json::json;
use server::clock::{Clock as _, SystemClock, copenhagen_date};
use time::Date;
use tracing_subscriber::EnvFilter;

use crate::{
    attacks,
    captures::{self, Studio},
    chip_link::ChipLink,
    citizen::{self, Told},
    conformance, figures,
    load::{self, Figures, Places},
    morphs,
    report::{self, Outcome, Traced},
    requirements,
    run::{self, Ran, Through, chain},
};

/// Fixture passports: made, plugged in, and run through the whole of Indrul. QA only.
#[derive(Debug, Parser)]
#[command(name = "fixtures", version)]
struct Cli {
    /// The data directory with `portraits/` and `models/`, as scripts/models fills it.
    #[arg(long, env = "INDRUL_DATA", default_value = "data", global = true)]
    data: PathBuf,
    /// One JSON object per result on standard output.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The catalogue: each fixture, its one deviation, and what is expected of it.
    List,
    /// Writes a passport's files, page, portrait, trust and holder to a folder.
    Make {
        /// Names of the catalogue, or description files: of several each is written to a folder of its name.
        #[arg(required = true)]
        specs: Vec<String>,
        /// Where to.
        #[arg(long)]
        out: PathBuf,
        /// Also a single one is written to a folder of its name.
        #[arg(long)]
        each: bool,
        /// Where the real portraits lie.
        #[arg(long)]
        portraits: Option<PathBuf>,
    },
    /// Plays the chip as a virtual card in pcscd until it is stopped.
    Plug {
        /// A name of the catalogue, or a description file.
        #[arg(required_unless_present = "files", conflicts_with = "files")]
        spec: Option<String>,
        /// Plain data-group files, with keys lying beside them.
        #[arg(long)]
        files: Option<PathBuf>,
        /// Where vpcd listens.
        #[arg(long, default_value = "127.0.0.1:35963")]
        vpcd: String,
    },
    /// Enrols fixtures end to end and prints expected against found.
    Run {
        /// Names of the catalogue; all of it without any.
        names: Vec<String>,
        /// Only the twenty that are played through pcscd in every test run.
        #[arg(long, conflicts_with = "names")]
        chosen: bool,
        /// How the chip is reached.
        #[arg(long, value_enum, default_value = "memory")]
        through: Through,
        /// Where to write report.html and junit.xml.
        #[arg(long)]
        report: Option<PathBuf>,
        /// Over the relay, with every command and answer in the JSON, secure messaging opened.
        #[arg(long, conflicts_with = "through")]
        trace: bool,
    },
    /// Runs the fixtures that play cases of BSI TR-03105-5.1 and writes what came of each.
    Conformance {
        /// Writes nothing; fails if the page is out of date.
        #[arg(long)]
        check: bool,
        /// The page.
        #[arg(long, default_value = "docs/conformance.md")]
        page: PathBuf,
    },
    /// Writes which test proves which requirement, and what came of it in the whole suite.
    Requirements {
        /// What `cargo test` printed.
        #[arg(long)]
        results: PathBuf,
        /// Writes nothing; fails if the page names other requirements or tests.
        #[arg(long)]
        check: bool,
        /// The folder with all the sources; the page is `docs/requirements.md` in it.
        #[arg(long, default_value = ".")]
        sources: PathBuf,
    },
    /// Counts what reading a passport costs: commands, round trips and bytes.
    Figures,
    /// Simulated captures of the face challenge, of people and attacks, and what is said of them.
    Captures {
        /// Only these species.
        species: Vec<String>,
        /// Only of this picture, for example obama.jpg.
        #[arg(long)]
        portrait: Option<String>,
        /// How many of each species and portrait.
        #[arg(long, default_value_t = 2)]
        seeds: u64,
        /// The first of their seeds: limits are chosen on some and shown on others.
        #[arg(long, default_value_t = 0)]
        first: u64,
        /// Writes the first capture of a species to a folder for `enroll face challenge` instead.
        #[arg(long, requires = "species")]
        out: Option<PathBuf>,
    },
    /// Makes pictures of attacks and counts which are told from people: wiring and trend only.
    Attacks {
        /// At most so many people.
        #[arg(long, default_value_t = 300)]
        people: usize,
        /// The file whose `[attack]` table is replaced by what was measured.
        #[arg(long)]
        write: Option<PathBuf>,
        /// People whom the table does not count, for choosing what to look at.
        #[arg(long)]
        aside: bool,
        /// A folder to keep the pictures in, for looking at.
        #[arg(long)]
        keep: Option<PathBuf>,
        /// Reference data, with photographs in `faces/lfw-subset`; third-party, for measuring only.
        #[arg(long, env = "INDRUL_FIELD_DATA", default_value = "../shared/data")]
        field: PathBuf,
    },
    /// Makes portraits of two people each and counts for whom they open, and which are suspected.
    Morphs {
        /// At most so many people.
        #[arg(long, default_value_t = usize::MAX)]
        people: usize,
        /// The file whose `[morph]` table is replaced by what was measured.
        #[arg(long)]
        write: Option<PathBuf>,
        /// A folder to keep the morphs in, for looking at.
        #[arg(long)]
        keep: Option<PathBuf>,
        /// Reference data, with photographs in `faces/lfw-subset`; third-party, for measuring only.
        #[arg(long, env = "INDRUL_FIELD_DATA", default_value = "../shared/data")]
        field: PathBuf,
    },
    /// Drives whole enrolments, many relays or hostile clients against a server of its own, and tells
    /// what it costs.
    Load(load::Plan),
    /// Plays a citizen with a phone: enrols one fixture at a running server.
    Enrol {
        /// A name of the catalogue, or a description file.
        spec: String,
        /// The server's base address.
        #[arg(long)]
        server: String,
        /// Prints every command and answer too, secure messaging opened.
        #[arg(long)]
        trace: bool,
    },
}

/// What ends a command early; the exit status says of which kind it is.
enum Stop {
    /// 2: the caller's words or files.
    Usage(String),
    /// 3: something that the command needs is missing.
    CannotRun(String),
}

/// Runs the command line.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt().with_env_filter(log_filter()).with_writer(std::io::stderr).init();
    match dispatch(&cli) {
        Ok(code) => code,
        Err(Stop::Usage(text)) => fail(&text, 2),
        Err(Stop::CannotRun(text)) => fail(&text, 3),
    }
}

/// `RUST_LOG`, but never the JPEG 2000 encoder's coefficients.
fn log_filter() -> EnvFilter {
    let filter = EnvFilter::from_default_env();
    match "openjp2=off".parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    }
}

fn fail(text: &str, code: u8) -> ExitCode {
    eprintln!("fixtures: {text}");
    ExitCode::from(code)
}

fn dispatch(cli: &Cli) -> Result<ExitCode, Stop> {
    match &cli.command {
        Command::List => list(cli),
        Command::Make { specs, out, each, portraits } => {
            make(cli, (specs, *each), out, portraits.as_deref())
        }
        Command::Plug { spec, files, vpcd } => plug(cli, spec.as_deref(), files.as_deref(), vpcd),
        Command::Run { names, chosen, through, report, trace } => {
            let through = if *trace { Through::Traced } else { *through };
            run(cli, &chosen_or(names, *chosen), through, report.as_deref())
        }
        Command::Conformance { check, page } => conformance(cli, *check, page),
        Command::Requirements { results, check, sources } => {
            requirements_page(results, *check, sources)
        }
        Command::Figures => figures(cli),
        Command::Captures { species, portrait, seeds, first, out } => {
            let species = chosen_species(species)?;
            match out {
                Some(folder) => write_capture(cli, &species, *first, folder),
                None => {
                    let seeds = *first..first.saturating_add(*seeds);
                    captures(cli, &species, portrait.as_deref(), seeds)
                }
            }
        }
        Command::Attacks { people, write, aside, keep, field } => {
            let plan = attacks::Plan {
                models: cli.data.join("models"),
                photographs: field.join("faces/lfw-subset"),
                people: *people,
                aside: *aside,
                keep: keep.clone(),
            };
            attacks(cli, &plan, write.as_deref())
        }
        Command::Morphs { people, write, keep, field } => {
            let plan = morphs::Plan {
                models: cli.data.join("models"),
                photographs: field.join("faces/lfw-subset"),
                people: *people,
                keep: keep.clone(),
            };
            morphs(cli, &plan, write.as_deref())
        }
        Command::Load(plan) => load(cli, plan),
        Command::Enrol { spec, server, trace } => enrol(cli, spec, server, *trace),
    }
}

fn list(cli: &Cli) -> Result<ExitCode, Stop> {
    for entry in catalogue()? {
        if cli.json {
            println!(
                "{}",
                json!({
                    "name": entry.name,
                    "group": entry.group,
                    "title": {"da": entry.title_da, "en": entry.title_en},
                    "deviation": entry.deviation,
                    "expect": entry.expect,
                })
            );
        } else {
            println!("{:40} {}", entry.name, entry.title_en);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn make(
    cli: &Cli,
    (specs, each): (&[String], bool),
    out: &Path,
    folder: Option<&Path>,
) -> Result<ExitCode, Stop> {
    let portraits = match folder {
        Some(folder) => load_portraits(folder)?,
        None => portraits(cli)?,
    };
    for spec in specs {
        let entry = entry(spec)?;
        let passport = made(&entry, &portraits)?;
        let out = match each || specs.len() > 1 {
            true => out.join(&entry.name),
            false => out.to_owned(),
        };
        passport.write_to(&out).map_err(|e| Stop::CannotRun(chain(&e)))?;
        if cli.json {
            println!("{}", json!({"name": entry.name, "out": out}));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn plug(cli: &Cli, spec: Option<&str>, files: Option<&Path>, vpcd: &str) -> Result<ExitCode, Stop> {
    let mut chip = match (spec, files) {
        (_, Some(folder)) => {
            Chip::of(Profile::from_files(folder).map_err(|e| Stop::Usage(chain(&e)))?)
        }
        (Some(spec), None) => Chip::new(&made(&entry(spec)?, &portraits(cli)?)?),
        (None, None) => return Err(Stop::Usage("name a fixture, or --files DIR".to_owned())),
    };
    eprintln!("fixtures: the card is in; stop me to pull it out");
    fixtures::vpcd::serve(&mut chip, vpcd, &AtomicBool::new(false))
        .map_err(|e| Stop::CannotRun(chain(&e)))?;
    Ok(ExitCode::SUCCESS)
}

fn chosen_or(names: &[String], chosen: bool) -> Vec<String> {
    if chosen { catalogue::TWENTY.map(str::to_owned).to_vec() } else { names.to_vec() }
}

fn run(
    cli: &Cli,
    names: &[String],
    through: Through,
    report: Option<&Path>,
) -> Result<ExitCode, Stop> {
    let entries = if names.is_empty() {
        catalogue()?
    } else {
        names.iter().map(|name| entry(name)).collect::<Result<_, _>>()?
    };
    let Ran { outcomes, faces } = ran(cli, &entries, through)?;
    outcomes.iter().for_each(|outcome| print(cli, outcome));
    let right = outcomes.iter().filter(|o| o.as_expected()).count();
    if !cli.json {
        let (of, through) = (outcomes.len(), through.name());
        println!("{right} of {of} as expected through {through}; {faces} pairs of faces compared");
    }
    if let Some(folder) = report {
        report::write(folder, through.name(), &outcomes).map_err(|e| Stop::CannotRun(chain(&e)))?;
    }
    Ok(if right == outcomes.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn ran(cli: &Cli, entries: &[Entry], through: Through) -> Result<Ran, Stop> {
    run::run(entries, through, &portraits(cli)?, &cli.data.join("models"), today())
        .map_err(|e| Stop::CannotRun(chain(&e)))
}

fn print(cli: &Cli, outcome: &Outcome) {
    if cli.json {
        println!("{}", json!({"as_expected": outcome.as_expected(), "outcome": outcome}));
        return;
    }
    let found = outcome.found.as_ref().map_or_else(|e| format!("error: {e}"), ToString::to_string);
    let mark = if outcome.as_expected() { "ok  " } else { "DIFF" };
    println!("{mark} {:40} expected {}, found {found}", outcome.name, outcome.expected);
}

fn conformance(cli: &Cli, check: bool, file: &Path) -> Result<ExitCode, Stop> {
    let units = fixtures::conformance::units().map_err(|e| Stop::CannotRun(chain(&e)))?;
    let entries = conformance::players(catalogue()?);
    let outcomes = ran(cli, &entries, Through::Memory)?.outcomes;
    let page = conformance::page(&units, &entries, &outcomes);
    let current = fs::read_to_string(file).is_ok_and(|old| old == page);
    if !check && !current {
        fs::write(file, page).map_err(|e| Stop::CannotRun(chain(&e)))?;
    }
    let right = outcomes.iter().filter(|o| o.as_expected()).count();
    if cli.json {
        let (cases, played) = (json!(right), outcomes.len());
        println!("{}", json!({"current": current, "as_expected": cases, "fixtures": played}));
    } else {
        println!("{right} of {} fixtures as expected", outcomes.len());
        println!("{}: {}", file.display(), if current { "up to date" } else { "out of date" });
    }
    let fine = right == outcomes.len() && (current || !check);
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn requirements_page(results: &Path, check: bool, sources: &Path) -> Result<ExitCode, Stop> {
    let text = fs::read_to_string(results).map_err(|e| Stop::Usage(chain(&e)))?;
    let (list, proofs) = requirements::read(sources).map_err(|e| Stop::CannotRun(chain(&e)))?;
    let page = requirements::page(&list, &proofs, &requirements::Results::read(&text));
    let file = sources.join("docs/requirements.md");
    // What came of a test is looked at where it is written: lines of a log can be torn apart by others.
    let same = |old: &String| match check {
        true => requirements::without_results(old) == requirements::without_results(&page),
        false => *old == page,
    };
    let current = fs::read_to_string(&file).is_ok_and(|old| same(&old));
    if !check && !current {
        fs::write(&file, page).map_err(|e| Stop::CannotRun(chain(&e)))?;
    }
    println!("{}: {}", file.display(), if current { "up to date" } else { "out of date" });
    Ok(if current || !check { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn figures(cli: &Cli) -> Result<ExitCode, Stop> {
    let figures = figures::count(today()).map_err(|e| Stop::CannotRun(chain(&e)))?;
    if !cli.json {
        println!("of a passport with {}", lengths());
    }
    for figure in &figures {
        match cli.json {
            true => println!("{}", json!({"held": figure.is_held(), "figure": figure})),
            false => println!("{figure}"),
        }
    }
    let held = figures.iter().all(figures::Figure::is_held);
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn lengths() -> String {
    figures::LENGTHS.map(|(file, bytes)| format!("{file} {bytes}")).join(", ") + " bytes"
}

fn chosen_species(names: &[String]) -> Result<Vec<Species>, Stop> {
    let find = |name: &String| {
        let found = Species::ALL.into_iter().find(|species| species.name() == name);
        let all: Vec<_> = Species::ALL.iter().map(|species| species.name()).collect();
        found.ok_or_else(|| Stop::Usage(format!("{name}: none of {}", all.join(" "))))
    };
    match names {
        [] => Ok(Species::ALL.to_vec()),
        names => names.iter().map(find).collect(),
    }
}

fn studio(cli: &Cli) -> Result<Studio, Stop> {
    let engine = Engine::load(&cli.data.join("models")).map_err(|e| Stop::CannotRun(chain(&e)))?;
    Studio::new(engine, &portraits(cli)?).map_err(|e| Stop::CannotRun(chain(&e)))
}

fn write_capture(
    cli: &Cli,
    species: &[Species],
    seed: u64,
    folder: &Path,
) -> Result<ExitCode, Stop> {
    let studio = studio(cli)?;
    for species in species {
        studio.write(*species, seed, folder).map_err(|e| Stop::CannotRun(chain(&e)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn attacks(cli: &Cli, plan: &attacks::Plan, write: Option<&Path>) -> Result<ExitCode, Stop> {
    let report = attacks::measure(plan).map_err(|e| Stop::CannotRun(chain(&e)))?;
    report.lines.iter().for_each(|line| tell(cli, line));
    replace_table(write, |text| attacks::with_table(text, &report))
}

fn morphs(cli: &Cli, plan: &morphs::Plan, write: Option<&Path>) -> Result<ExitCode, Stop> {
    let report = morphs::measure(plan).map_err(|e| Stop::CannotRun(chain(&e)))?;
    report.lines.iter().for_each(|line| tell(cli, line));
    replace_table(write, |text| morphs::with_table(text, &report))
}

/// Writes what was measured where it is wanted.
fn replace_table(file: Option<&Path>, with: impl FnOnce(&str) -> String) -> Result<ExitCode, Stop> {
    if let Some(path) = file {
        let unreadable = |e: std::io::Error| Stop::Usage(format!("{}: {e}", path.display()));
        let text = fs::read_to_string(path).map_err(unreadable)?;
        fs::write(path, with(&text)).map_err(unreadable)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn captures(
    cli: &Cli,
    species: &[Species],
    portrait: Option<&str>,
    seeds: Range<u64>,
) -> Result<ExitCode, Stop> {
    let mut table = captures::Table::default();
    let judged = studio(cli)?.each(species, portrait, seeds, |judged| {
        table.add(&judged);
        if cli.json {
            println!("{}", json!(judged));
        }
    });
    judged.map_err(|e| Stop::CannotRun(chain(&e)))?;
    if !cli.json {
        println!("{table}");
    }
    Ok(if table.is_right() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Exit status 1 if somebody did not get there, or a hostile client did.
fn load(cli: &Cli, plan: &load::Plan) -> Result<ExitCode, Stop> {
    let me = std::env::current_exe().map_err(|e| Stop::CannotRun(chain(&e)))?;
    let program = me.with_file_name("enroll");
    let places = Places { program: &program, data: &cli.data, today: today() };
    let right = match load::carry_out(plan, places).map_err(|e| Stop::CannotRun(chain(&e)))? {
        Figures::Enrolments(report) => {
            tell(cli, &report);
            report.is_whole()
        }
        Figures::Sockets(sockets) => {
            tell(cli, &sockets);
            Some(sockets.open) == plan.sockets
        }
        Figures::LogIns(log_ins) => {
            tell(cli, &log_ins);
            log_ins.is_whole()
        }
        Figures::IdlePage(idle) => {
            tell(cli, &idle);
            true
        }
        Figures::Hostile(hostile) => {
            tell(cli, &hostile);
            hostile.is_right()
        }
    };
    Ok(if right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(cli: &Cli, found: &(impl serde::Serialize + std::fmt::Display)) {
    match cli.json {
        true => println!("{}", json!(found)),
        false => println!("{found}"),
    }
}

/// The first line tells the enrolment's identifier as soon as it has one, the second how it ended.
/// One line with the enrolment, with `trace` one with what went to and fro, and one with the verdict.
fn enrol(cli: &Cli, spec: &str, server: &str, trace: bool) -> Result<ExitCode, Stop> {
    let passport = made(&entry(spec)?, &portraits(cli)?)?;
    let chip = Chip::new(&passport);
    let mut link = ChipLink(if trace { chip.traced() } else { chip });
    let mut traced = Traced::default();
    let mut told = |told: Told<'_>| match told {
        Told::Started(id) => println!("{}", json!({ "enrolment": id })),
        Told::Step(..) => traced.note(told),
    };
    let judgement = citizen::enrol(server, &passport, &mut link, &mut told);
    traced.exchanges = link.0.take_trace();
    if trace {
        println!("{}", json!({ "traced": traced }));
    }
    let judgement = judgement.map_err(|e| Stop::CannotRun(chain(&e)))?;
    println!("{}", json!(judgement));
    Ok(if judgement.verdict == "accepted" { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn catalogue() -> Result<Vec<Entry>, Stop> {
    catalogue::all().map_err(|e| Stop::CannotRun(chain(&e)))
}

/// A fixture by name, or by the path of its description.
fn entry(spec: &str) -> Result<Entry, Stop> {
    if let Some(entry) = catalogue::find(spec) {
        return Ok(entry);
    }
    let text = fs::read_to_string(spec).map_err(|_| {
        Stop::Usage(format!("{spec}: neither a fixture (see fixtures list) nor a readable file"))
    })?;
    let parsed = Spec::parse(&text).map_err(|e| Stop::Usage(format!("{spec}: {}", chain(&e))))?;
    let name = Path::new(spec).file_stem().unwrap_or_default().to_string_lossy();
    Ok(Entry::new(&name, parsed))
}

fn made(entry: &Entry, portraits: &Portraits) -> Result<Passport, Stop> {
    Passport::make(&entry.spec, portraits, today()).map_err(|e| Stop::CannotRun(chain(&e)))
}

fn portraits(cli: &Cli) -> Result<Portraits, Stop> {
    load_portraits(&cli.data.join("portraits"))
}

fn load_portraits(folder: &Path) -> Result<Portraits, Stop> {
    Portraits::load(folder).map_err(|e| {
        let command = "fetch the portraits with: scripts/models";
        Stop::CannotRun(format!("{} ({command})", chain(&e)))
    })
}

fn today() -> Date {
    copenhagen_date(SystemClock.now())
}
