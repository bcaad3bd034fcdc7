//! From what a file says to the layers that are run: shapes worked out, and what can be done at the
//! end of a convolution (a picture added, then a rectifier) put there.

use std::collections::HashMap;

use super::grid::{BLOCK, Border, Grid, Window};
use super::onnx::{Array, Graph, Kind, Operation};

/// The layers of a network. Pictures have numbers; the input is 0.
pub(super) struct Layers {
    pub(super) pictures: Vec<Grid>,
    pub(super) layers: Vec<Layer>,
    pub(super) outputs: Vec<Vec<Piece>>,
}

/// A layer with the pictures that it takes and makes.
pub(super) struct Layer {
    pub(super) kind: LayerKind,
    pub(super) inputs: Vec<usize>,
    pub(super) output: usize,
}

pub(super) enum LayerKind {
    Conv(Conv),
    MaxPool(Window),
    Plain(super::plain::Kind),
}

/// A convolution and its end.
pub(super) struct Conv {
    pub(super) window: Window,
    /// Whether each channel is seen by itself.
    pub(super) depthwise: bool,
    pub(super) weights: Array,
    pub(super) bias: Vec<f32>,
    /// Whether the second of the layer's inputs is added.
    pub(super) residual: bool,
    pub(super) slopes: Option<Vec<f32>>,
}

/// A picture as part of an output, and the order of its numbers there.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    pub(super) picture: usize,
    pub(super) channels_last: bool,
}

/// What a name stands for.
#[derive(Clone)]
enum Value {
    Picture(usize),
    /// With its channels last.
    Turned(usize),
    List(Vec<Piece>),
}

impl Value {
    fn picture(&self) -> Option<usize> {
        if let Value::Picture(picture) = self { Some(*picture) } else { None }
    }

    fn list(self) -> Vec<Piece> {
        match self {
            Value::Picture(picture) => vec![Piece { picture, channels_last: false }],
            Value::Turned(picture) => vec![Piece { picture, channels_last: true }],
            Value::List(pieces) => pieces,
        }
    }
}

/// None where the operations do not fit together in a way that is known here.
pub(super) fn lower(graph: Graph) -> Option<Layers> {
    let mut lowering = Lowering::new(&graph);
    for operation in graph.operations {
        let output = operation.output.clone();
        let value = lowering.operation(operation)?;
        lowering.values.insert(output, value);
    }
    let outputs = graph.outputs.iter().map(|name| Some(lowering.values.remove(name)?.list()));
    let outputs = outputs.collect::<Option<_>>()?;
    let mut pictures = lowering.pictures;
    let layers: Vec<Layer> = lowering.layers.into_iter().flatten().collect();
    for layer in &layers {
        if let (LayerKind::Conv(conv), Some(input)) = (&layer.kind, layer.inputs.first()) {
            let grid = pictures.get_mut(*input)?;
            grid.border = grid.border.around(conv.window.pads);
        }
    }
    Some(Layers { pictures, layers, outputs })
}

struct Lowering {
    pictures: Vec<Grid>,
    layers: Vec<Option<Layer>>,
    values: HashMap<String, Value>,
    /// How often a name is used.
    uses: HashMap<String, usize>,
}

impl Lowering {
    fn new(graph: &Graph) -> Lowering {
        let [channels, height, width] = graph.shape;
        // The colours lie close together: nothing but the first convolution reads them.
        let input = Grid { pixel: channels, ..Grid::new(height, width, channels) };
        let mut uses = HashMap::new();
        let names = graph.operations.iter().flat_map(|operation| &operation.inputs);
        names.chain(&graph.outputs).for_each(|name| *uses.entry(name.clone()).or_default() += 1);
        let values = HashMap::from([(graph.input.clone(), Value::Picture(0))]);
        Lowering { pictures: vec![input], layers: Vec::new(), values, uses }
    }

    fn operation(&mut self, operation: Operation) -> Option<Value> {
        let inputs = operation.inputs.iter().map(|name| self.values.get(name).cloned());
        let inputs = inputs.collect::<Option<Vec<Value>>>()?;
        let first = inputs.first()?.clone();
        Some(match operation.kind {
            Kind::Identity => self.renamed(&operation, first),
            Kind::ToNhwc => Value::Turned(first.picture()?),
            Kind::Flatten => {
                let value = self.flattened(first);
                self.renamed(&operation, value)
            }
            Kind::Concat => Value::List(lists(inputs)?),
            Kind::Add => self.added(&operation.inputs, &inputs)?,
            Kind::Mul => self.multiplied(&inputs)?,
            kind => {
                let [name] = operation.inputs.as_slice() else { return None };
                Value::Picture(self.of_one(kind, name, first.picture()?)?)
            }
        })
    }

    /// A picture with a second name is used wherever either is.
    fn renamed(&mut self, operation: &Operation, value: Value) -> Value {
        let used = |name: &String| self.uses.get(name).copied().unwrap_or_default();
        if let Some(old) = operation.inputs.first() {
            let total = (used(old) + used(&operation.output)).saturating_sub(1);
            self.uses.insert(old.clone(), total);
            self.uses.insert(operation.output.clone(), total);
        }
        value
    }

    /// A picture of one pixel is its list.
    fn flattened(&self, value: Value) -> Value {
        let single = value.picture().and_then(|picture| self.pictures.get(picture));
        match single {
            Some(grid) if grid.height * grid.width == 1 => value,
            _ => Value::List(value.list()),
        }
    }

    fn added(&mut self, names: &[String], inputs: &[Value]) -> Option<Value> {
        let pictures: Vec<usize> = inputs.iter().map(Value::picture).collect::<Option<_>>()?;
        let [one, other] = *pictures.as_slice() else { return None };
        let (grid, second) = (*self.pictures.get(one)?, *self.pictures.get(other)?);
        if grid != second {
            return None;
        }
        for (name, own, added) in [(names.get(1)?, other, one), (names.first()?, one, other)] {
            let Some(at) = self.open_conv(name, own).filter(|_| own != added) else { continue };
            // What is added may be made only after the convolution: it moves here.
            let mut layer = self.layers.get_mut(at)?.take()?;
            let LayerKind::Conv(conv) = &mut layer.kind else { return None };
            conv.residual = true;
            layer.inputs.push(added);
            self.layers.push(Some(layer));
            return Some(Value::Picture(own));
        }
        Some(Value::Picture(self.plain(super::plain::Kind::Add, vec![one, other], grid)))
    }

    /// The layer that makes this picture, if it is a convolution that nobody else looks at and that
    /// has no end yet.
    fn open_conv(&self, name: &str, picture: usize) -> Option<usize> {
        let makes = |layer: &Option<Layer>| layer.as_ref().is_some_and(|l| l.output == picture);
        let at = self.layers.iter().rposition(makes)?;
        let LayerKind::Conv(conv) = &self.layers.get(at)?.as_ref()?.kind else { return None };
        let open = !conv.residual && conv.slopes.is_none();
        (open && self.uses.get(name) == Some(&1)).then_some(at)
    }

    fn multiplied(&mut self, inputs: &[Value]) -> Option<Value> {
        let pictures: Vec<usize> = inputs.iter().map(Value::picture).collect::<Option<_>>()?;
        let [one, other] = *pictures.as_slice() else { return None };
        let (grid, factors) = (*self.pictures.get(one)?, *self.pictures.get(other)?);
        let single = factors.height * factors.width == 1
            && factors.channels == grid.channels
            && factors.pixel == grid.pixel;
        let kind = super::plain::Kind::Mul;
        single.then(|| Value::Picture(self.plain(kind, vec![one, other], grid)))
    }

    fn of_one(&mut self, kind: Kind, name: &str, picture: usize) -> Option<usize> {
        use super::plain::Kind as Plain;
        let grid = *self.pictures.get(picture)?;
        Some(match kind {
            Kind::Product { .. } if grid.height * grid.width != 1 => return None,
            Kind::Product { weights, bias } => {
                return self.conv((Window::PIXEL, 1), weights, bias, picture);
            }
            Kind::Conv { window, groups, weights, bias } => {
                return self.conv((window, groups), weights, bias, picture);
            }
            // Channels are read in blocks, which the input's colours do not fill.
            Kind::MaxPool(_) if !grid.pixel.is_multiple_of(BLOCK) => return None,
            Kind::MaxPool(window) => {
                let output = seen(&grid, &window, grid.channels)?;
                self.layer(LayerKind::MaxPool(window), vec![picture], output)
            }
            Kind::AveragePool(window) => self.mean(window, picture)?,
            Kind::GlobalAveragePool => {
                let window = Window { height: grid.height, width: grid.width, ..Window::PIXEL };
                self.mean(window, picture)?
            }
            Kind::Rectify(slopes) => return self.rectified(slopes, name, picture),
            Kind::Affine { gains, offsets } => {
                let (gains, offsets) = (by_channel(gains, &grid)?, by_channel(offsets, &grid)?);
                self.plain(Plain::Affine { gains, offsets }, vec![picture], grid)
            }
            Kind::Sigmoid => self.plain(Plain::Sigmoid, vec![picture], grid),
            Kind::Pad { channels, border } => {
                let height = border.top + grid.height + border.bottom;
                let width = border.left + grid.width + border.right;
                let output = Grid::new(height, width, grid.channels + channels);
                self.plain(Plain::Pad(border), vec![picture], output)
            }
            _ => return None,
        })
    }

    fn conv(
        &mut self,
        (window, groups): (Window, usize),
        weights: Array,
        bias: Vec<f32>,
        picture: usize,
    ) -> Option<usize> {
        let grid = *self.pictures.get(picture)?;
        let [outputs, inputs, ..] = *weights.shape.as_slice() else { return None };
        let depthwise = groups > 1 && groups == grid.channels && outputs == groups && inputs == 1;
        let dense = groups == 1 && inputs == grid.channels;
        let whole = bias.len() == outputs && (!depthwise || grid.pixel.is_multiple_of(BLOCK));
        let output = seen(&grid, &window, outputs)?;
        let slopes = None;
        let conv = Conv { window, depthwise, weights, bias, residual: false, slopes };
        let known = (dense || depthwise) && whole;
        known.then(|| self.layer(LayerKind::Conv(conv), vec![picture], output))
    }

    /// The mean is a depthwise convolution with the same weight everywhere.
    fn mean(&mut self, window: Window, picture: usize) -> Option<usize> {
        let channels = self.pictures.get(picture)?.channels;
        let size = window.height * window.width;
        let shape = vec![channels, 1, window.height, window.width];
        let weights = Array { shape, values: vec![1.0 / size as f32; channels * size] };
        self.conv((window, channels), weights, vec![0.0; channels], picture)
    }

    fn rectified(&mut self, slopes: Vec<f32>, name: &str, picture: usize) -> Option<usize> {
        let grid = *self.pictures.get(picture)?;
        let slopes = by_channel(slopes, &grid)?;
        let makes = |layer: &&mut Layer| layer.output == picture;
        let maker = self.layers.iter_mut().flatten().rev().find(makes).map(|layer| &mut layer.kind);
        match maker {
            Some(LayerKind::Conv(conv))
                if conv.slopes.is_none() && self.uses.get(name) == Some(&1) =>
            {
                conv.slopes = Some(slopes);
                Some(picture)
            }
            _ => Some(self.plain(super::plain::Kind::Rectify(slopes), vec![picture], grid)),
        }
    }

    fn plain(&mut self, kind: super::plain::Kind, inputs: Vec<usize>, output: Grid) -> usize {
        self.layer(LayerKind::Plain(kind), inputs, output)
    }

    fn layer(&mut self, kind: LayerKind, inputs: Vec<usize>, output: Grid) -> usize {
        let made = self.pictures.len();
        self.pictures.push(output);
        self.layers.push(Some(Layer { kind, inputs, output: made }));
        made
    }
}

/// The lists behind one another.
fn lists(values: Vec<Value>) -> Option<Vec<Piece>> {
    let lists = values.into_iter().map(|value| match value {
        Value::List(pieces) => Some(pieces),
        _ => None,
    });
    Some(lists.collect::<Option<Vec<_>>>()?.concat())
}

/// One number for each channel, zeros behind.
fn by_channel(values: Vec<f32>, grid: &Grid) -> Option<Vec<f32>> {
    let mut values = match values.as_slice() {
        [one] => vec![*one; grid.channels],
        _ => values,
    };
    let fits = values.len() == grid.channels;
    values.resize(grid.pixel, 0.0);
    fits.then_some(values)
}

/// What is made of a picture seen through a window.
fn seen(grid: &Grid, window: &Window, channels: usize) -> Option<Grid> {
    let Border { top, left, bottom, right } = window.pads;
    let steps = |length: usize, window: usize, step: usize| {
        Some(length.checked_sub(window)?.checked_div(step)? + 1)
    };
    let height = steps(grid.height + top + bottom, window.height, window.step_y)?;
    let width = steps(grid.width + left + right, window.width, window.step_x)?;
    (grid.border == Border::default()).then(|| Grid::new(height, width, channels))
}
