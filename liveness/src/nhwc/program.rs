//! The layers of a network in the order in which they run, and the memory they run in.

use std::mem;
use std::sync::{Mutex, PoisonError};

use fearless_simd::{Level, Simd, dispatch};
use tract_onnx::pb::GraphProto;

use super::dense::{self, Dense, Weights};
use super::depthwise::{self, Depthwise};
use super::finish::Finish;
use super::grid::Grid;
use super::lower::{Conv, Layer, LayerKind, Layers, Piece, lower};
use super::onnx::Graph;
use super::plain::Plain;
use super::vector::lanes;

/// A network ready to run.
pub(crate) struct Program {
    level: Level,
    pictures: Vec<Grid>,
    /// The slot of each picture.
    places: Vec<usize>,
    /// Numbers of each slot.
    slots: Vec<usize>,
    tasks: Vec<Task>,
    outputs: Vec<Vec<Piece>>,
    /// Memory of runs that have ended; each run takes one or makes one, so that none waits.
    memories: Mutex<Vec<Memory>>,
}

/// The numbers of one run, in its slots.
type Memory = Vec<Vec<f32>>;

struct Task {
    step: Step,
    inputs: Vec<usize>,
    output: usize,
}

enum Step {
    Dense(Dense),
    Depthwise(Depthwise),
    Plain(Plain),
}

impl Program {
    /// None where the network holds what is not known here.
    pub(crate) fn new(proto: &GraphProto) -> Option<Program> {
        Program::for_level(proto, Level::new())
    }

    /// For a processor with these vectors.
    pub(super) fn for_level(proto: &GraphProto, level: Level) -> Option<Program> {
        let lanes = dispatch!(level, simd => lanes_of(simd));
        let Layers { pictures, layers, outputs } = lower(Graph::read(proto)?)?;
        let (places, slots) = slots(&pictures, &layers, &outputs);
        let tasks = layers.into_iter().map(|layer| task(layer, &pictures, lanes));
        let tasks = tasks.collect::<Option<_>>()?;
        let memories = Mutex::default();
        Some(Program { level, pictures, places, slots, tasks, outputs, memories })
    }

    /// 1, channels, height, width.
    pub(crate) fn shape(&self) -> [usize; 4] {
        let sides = self.pictures.first().map(|grid| [1, grid.channels, grid.height, grid.width]);
        sides.unwrap_or_default()
    }

    /// The outputs for each of some inputs, which are planes of the network's size.
    pub(crate) fn run(&self, inputs: &[&[f32]]) -> Vec<Vec<Vec<f32>>> {
        let mut memory = self.locked().pop().unwrap_or_default();
        memory.resize(self.slots.len(), Vec::new());
        for (slot, size) in memory.iter_mut().zip(&self.slots) {
            slot.resize(size * inputs.len(), 0.0);
        }
        self.enter(&mut memory, inputs);
        for task in &self.tasks {
            self.run_task(task, &mut memory, inputs.len());
        }
        let found = (0..inputs.len()).map(|image| self.leave(&memory, image)).collect();
        // What is left describes a face.
        memory.iter_mut().for_each(|slot| slot.fill(0.0));
        self.locked().push(memory);
        found
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<Memory>> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From planes to pixels.
    fn enter(&self, memory: &mut Memory, inputs: &[&[f32]]) {
        let (Some(grid), Some(slot)) = (self.pictures.first(), self.slot(memory, 0)) else {
            return;
        };
        for (input, picture) in inputs.iter().zip(slot.chunks_exact_mut(grid.len())) {
            grid.clear_border(picture);
            for (channel, plane) in input.chunks_exact(grid.height * grid.width).enumerate() {
                for (y, row) in plane.chunks_exact(grid.width).enumerate() {
                    let there = picture.get_mut(grid.inner_row(y)).unwrap_or_default();
                    let there = there.iter_mut().skip(channel).step_by(grid.pixel);
                    there.zip(row).for_each(|(there, value)| *there = *value);
                }
            }
        }
    }

    fn slot<'a>(&self, memory: &'a mut Memory, picture: usize) -> Option<&'a mut Vec<f32>> {
        memory.get_mut(*self.places.get(picture)?)
    }

    fn run_task(&self, task: &Task, memory: &mut Memory, images: usize) {
        let Some(grid) = self.pictures.get(task.output) else { return };
        let Some(slot) = self.slot(memory, task.output) else { return };
        let mut made = mem::take(slot);
        let output = made.get_mut(..images * grid.len()).unwrap_or_default();
        output.chunks_exact_mut(grid.len()).for_each(|picture| grid.clear_border(picture));
        let mut inputs = task.inputs.iter().map(|picture| {
            self.places.get(*picture).and_then(|slot| memory.get(*slot)).map(Vec::as_slice)
        });
        let input = inputs.next().flatten().unwrap_or_default();
        let residual = inputs.next().flatten();
        match &task.step {
            Step::Dense(layer) => {
                let job = dense::Job { layer, input, residual, output };
                dispatch!(self.level, simd => job.run(simd));
            }
            Step::Depthwise(layer) => {
                let job = depthwise::Job { layer, input, residual, output };
                dispatch!(self.level, simd => job.run(simd));
            }
            Step::Plain(layer) => layer.run(input, residual, output),
        }
        if let Some(slot) = self.slot(memory, task.output) {
            *slot = made;
        }
    }

    /// The outputs of one of the pictures, each as a list.
    fn leave(&self, memory: &Memory, image: usize) -> Vec<Vec<f32>> {
        let output = |pieces: &Vec<Piece>| {
            pieces.iter().flat_map(|piece| self.piece(memory, image, piece)).collect()
        };
        self.outputs.iter().map(output).collect()
    }

    fn piece(&self, memory: &Memory, image: usize, piece: &Piece) -> Vec<f32> {
        let slot = self.places.get(piece.picture).and_then(|slot| memory.get(*slot));
        let (Some(grid), Some(slot)) = (self.pictures.get(piece.picture), slot) else {
            return Vec::new();
        };
        let picture = slot.get(image * grid.len()..).unwrap_or_default();
        let pixels = (0..grid.height).flat_map(|y| (0..grid.width).map(move |x| grid.at(y, x)));
        let pixels = pixels.map(|at| picture.get(at..at + grid.channels).unwrap_or_default());
        if piece.channels_last {
            return pixels.flatten().copied().collect();
        }
        let plane = |channel| pixels.clone().filter_map(move |pixel| pixel.get(channel).copied());
        (0..grid.channels).flat_map(plane).collect()
    }
}

#[inline(always)]
fn lanes_of<S: Simd>(_: S) -> usize {
    lanes::<S>()
}

fn task(layer: Layer, pictures: &[Grid], lanes: usize) -> Option<Task> {
    let Layer { kind, inputs, output } = layer;
    let grids: Vec<Grid> =
        inputs.iter().map(|i| pictures.get(*i).copied()).collect::<Option<_>>()?;
    let (grid, other) = (*grids.first()?, grids.get(1).copied());
    let made = *pictures.get(output)?;
    let step = match kind {
        LayerKind::Conv(conv) => convolution(conv, (grid, made), other, lanes),
        LayerKind::MaxPool(window) => {
            let finish = Finish::new(Vec::new(), &made);
            let kind = depthwise::Kind::Greatest;
            Step::Depthwise(Depthwise::new((grid, made), window, kind, finish))
        }
        LayerKind::Plain(kind) => Step::Plain(Plain { kind, input: grid, other, output: made }),
    };
    Some(Task { step, inputs, output })
}

fn convolution(conv: Conv, grids: (Grid, Grid), other: Option<Grid>, lanes: usize) -> Step {
    let Conv { window, depthwise, weights, bias, residual, slopes } = conv;
    let (_, made) = grids;
    let mut finish = Finish::new(bias, &made);
    if let Some(other) = other.filter(|_| residual) {
        finish.add(&other);
    }
    if let Some(slopes) = slopes {
        finish.rectify(slopes, &made);
    }
    if depthwise {
        let kind = depthwise::Kind::weighted(&weights.values, &window, &made);
        return Step::Depthwise(Depthwise::new(grids, window, kind, finish));
    }
    let [outputs, inputs] = [0, 1].map(|at| weights.shape.get(at).copied().unwrap_or_default());
    let weights = Weights { values: &weights.values, outputs, inputs };
    Step::Dense(Dense::new(grids, &window, &weights, finish, lanes))
}

/// Where each picture lies: a slot is used again once nobody needs the picture in it. And how large
/// each slot must be.
fn slots(pictures: &[Grid], layers: &[Layer], outputs: &[Vec<Piece>]) -> (Vec<usize>, Vec<usize>) {
    let mut last = vec![0; pictures.len()];
    for (at, layer) in layers.iter().enumerate() {
        layer
            .inputs
            .iter()
            .for_each(|input| last.iter_mut().skip(*input).take(1).for_each(|l| *l = at));
    }
    for piece in outputs.iter().flatten() {
        last.iter_mut().skip(piece.picture).take(1).for_each(|l| *l = usize::MAX);
    }
    let mut places = vec![0; pictures.len()];
    let mut sizes: Vec<usize> = Vec::new();
    let mut holding: Vec<Option<usize>> = Vec::new();
    let making = std::iter::once((0, 0)).chain(layers.iter().map(|l| l.output).enumerate());
    for (at, made) in making {
        let size = pictures.get(made).map_or(0, Grid::len);
        let free = |held: &Option<usize>| match held {
            Some(held) => last.get(*held).is_some_and(|last| *last < at),
            None => true,
        };
        let slot = holding.iter().position(free).unwrap_or(holding.len());
        holding.resize(holding.len().max(slot + 1), None);
        sizes.resize(holding.len(), 0);
        holding.iter_mut().skip(slot).take(1).for_each(|held| *held = Some(made));
        sizes.iter_mut().skip(slot).take(1).for_each(|there| *there = size.max(*there));
        places.iter_mut().skip(made).take(1).for_each(|place| *place = slot);
    }
    (places, sizes)
}
