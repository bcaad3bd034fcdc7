//! What an ONNX file says, as the few operations that recognition networks are made of.
//!
//! Only what an output depends on is read, from the outputs back. A file with any other operation, or
//! with one of these in a form that no network of ours has, reads as None: such a network is run by
//! tract.

use std::collections::{HashMap, HashSet};

use tract_onnx::data_resolver;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, ValueInfoProto};
use tract_onnx::pb::{tensor_shape_proto::dimension, type_proto};
use tract_onnx::prelude::Tensor;
use tract_onnx::tensor::load_tensor;

use super::grid::{Border, Window};

/// An operation; names are those of the file.
pub(super) struct Operation {
    pub(super) kind: Kind,
    pub(super) inputs: Vec<String>,
    pub(super) output: String,
}

/// What an operation does.
pub(super) enum Kind {
    /// With weights (outputs, inputs of a group, rows, columns) and a bias.
    Conv {
        window: Window,
        groups: usize,
        weights: Array,
        bias: Vec<f32>,
    },
    /// A list of numbers with a matrix: a convolution of a single pixel.
    Product {
        weights: Array,
        bias: Vec<f32>,
    },
    /// The greatest number of a window.
    MaxPool(Window),
    /// The mean of a window.
    AveragePool(Window),
    /// The mean of a picture.
    GlobalAveragePool,
    /// Two pictures, number by number.
    Add,
    /// A picture times a picture of one pixel.
    Mul,
    /// Each channel times a gain, plus an offset. One of each holds for every channel.
    Affine {
        gains: Vec<f32>,
        offsets: Vec<f32>,
    },
    /// What is below zero times a slope; one slope holds for every channel.
    Rectify(Vec<f32>),
    Sigmoid,
    /// Zeros behind the last channel, and around.
    Pad {
        channels: usize,
        border: Border,
    },
    /// Channels last from here on.
    ToNhwc,
    /// To a list of numbers.
    Flatten,
    /// Of lists.
    Concat,
    Identity,
}

/// A constant.
#[derive(Clone)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// What a file says.
pub(super) struct Graph {
    pub(super) input: String,
    /// Channels, height, width.
    pub(super) shape: [usize; 3],
    pub(super) operations: Vec<Operation>,
    pub(super) outputs: Vec<String>,
}

impl Graph {
    /// None where the file holds what is not known here.
    pub(super) fn read(proto: &GraphProto) -> Option<Graph> {
        let file = File::of(proto)?;
        let mut inputs = proto.input.iter().filter(|i| !file.constants.contains_key(&*i.name));
        let (input, None) = (inputs.next()?, inputs.next()) else { return None };
        let outputs: Vec<String> = proto.output.iter().map(|o| o.name.clone()).collect();
        let mut wanted: HashSet<String> = outputs.iter().cloned().collect();
        let mut operations = Vec::new();
        for node in proto.node.iter().rev() {
            let [output] = node.output.as_slice() else { return None };
            if wanted.contains(output) {
                let (kind, inputs) = file.operation(node)?;
                wanted.extend(inputs.iter().cloned());
                operations.push(Operation { kind, inputs, output: output.clone() });
            }
        }
        operations.reverse();
        Some(Graph { input: input.name.clone(), shape: shape(input)?, operations, outputs })
    }
}

/// Channels, height and width of an input of one picture.
fn shape(input: &ValueInfoProto) -> Option<[usize; 3]> {
    let type_proto::Value::TensorType(tensor) = input.r#type.as_ref()?.value.as_ref()?;
    let sides = tensor.shape.as_ref()?.dim.iter().map(|side| match side.value.as_ref()? {
        dimension::Value::DimValue(side) => usize::try_from(*side).ok(),
        dimension::Value::DimParam(_) => None,
    });
    let sides: Vec<usize> = sides.collect::<Option<_>>()?;
    let [1, channels, height, width] = *sides.as_slice() else { return None };
    Some([channels, height, width])
}

struct File<'a> {
    constants: HashMap<&'a str, Tensor>,
    nodes: HashMap<&'a str, &'a NodeProto>,
}

impl<'a> File<'a> {
    fn of(proto: &'a GraphProto) -> Option<File<'a>> {
        let resolver = data_resolver::default();
        let constants = proto.initializer.iter().map(|tensor| {
            Some((tensor.name.as_str(), load_tensor(&*resolver, tensor, None).ok()?))
        });
        let nodes =
            proto.node.iter().filter_map(|node| Some((node.output.first()?.as_str(), node)));
        Some(File { constants: constants.collect::<Option<_>>()?, nodes: nodes.collect() })
    }

    fn operation(&self, node: &NodeProto) -> Option<(Kind, Vec<String>)> {
        if let Some((x, slopes)) = self.spelled_out(node) {
            return Some((Kind::Rectify(slopes), vec![x.to_owned()]));
        }
        let kind = match node.op_type.as_str() {
            "Conv" => self.conv(node)?,
            "MatMul" => self.product(node)?,
            "MaxPool" => Kind::MaxPool(unpadded(node)?),
            "AveragePool" => Kind::AveragePool(unpadded(node)?),
            "GlobalAveragePool" => Kind::GlobalAveragePool,
            "Add" | "Sub" | "Mul" => return self.arithmetic(node),
            "BatchNormalization" => self.normalisation(node)?,
            "Relu" => Kind::Rectify(vec![0.0]),
            "PRelu" => Kind::Rectify(self.by_channel(node.input.get(1)?)?),
            "Sigmoid" => Kind::Sigmoid,
            "Pad" => self.pad(node)?,
            "Transpose" => (integers(node, "perm")? == [0, 2, 3, 1]).then_some(Kind::ToNhwc)?,
            "Reshape" => Kind::Flatten,
            "Concat" => {
                return (integer(node, "axis")? == 1).then(|| (Kind::Concat, node.input.clone()));
            }
            "Identity" => Kind::Identity,
            _ => return None,
        };
        Some((kind, vec![node.input.first()?.clone()]))
    }

    fn conv(&self, node: &NodeProto) -> Option<Kind> {
        let weights = self.array(node.input.get(1)?)?;
        let [outputs, _, height, width] = *weights.shape.as_slice() else { return None };
        let bias = match node.input.get(2) {
            Some(bias) => self.array(bias)?.values,
            None => vec![0.0; outputs],
        };
        let window = window(node, [height, width])?;
        let groups = usize::try_from(integer(node, "group").unwrap_or(1)).ok()?;
        Some(Kind::Conv { window, groups, weights, bias })
    }

    /// A product with a matrix of inputs by outputs.
    fn product(&self, node: &NodeProto) -> Option<Kind> {
        let matrix = self.array(node.input.get(1)?)?;
        let [inputs, outputs] = *matrix.shape.as_slice() else { return None };
        let columns =
            (0..outputs).flat_map(|o| matrix.values.iter().skip(o).step_by(outputs.max(1)));
        let weights =
            Array { shape: vec![outputs, inputs, 1, 1], values: columns.copied().collect() };
        Some(Kind::Product { weights, bias: vec![0.0; outputs] })
    }

    /// One operand may be a constant, with one number or one for each channel.
    fn arithmetic(&self, node: &NodeProto) -> Option<(Kind, Vec<String>)> {
        let [one, other] = node.input.as_slice() else { return None };
        let first = self.constants.contains_key(one.as_str());
        let (x, constant) = if first { (other, one) } else { (one, other) };
        let constant = self.by_channel(constant);
        let kind = match (node.op_type.as_str(), constant) {
            ("Add", None) => return Some((Kind::Add, node.input.clone())),
            ("Mul", None) => return Some((Kind::Mul, node.input.clone())),
            ("Add", Some(offsets)) => Kind::Affine { gains: vec![1.0], offsets },
            ("Sub", Some(taken)) if !first => {
                Kind::Affine { gains: vec![1.0], offsets: taken.iter().map(|v| -v).collect() }
            }
            ("Mul", Some(gains)) => Kind::Affine { gains, offsets: vec![0.0] },
            _ => return None,
        };
        Some((kind, vec![x.clone()]))
    }

    /// Scale, bias, mean and variance, as in a network that learns no more.
    fn normalisation(&self, node: &NodeProto) -> Option<Kind> {
        let [_, scale, bias, mean, variance] = node.input.as_slice() else { return None };
        let epsilon = attribute(node, "epsilon").map_or(1e-5, |a| a.f);
        let [scale, bias, mean, variance] =
            [scale, bias, mean, variance].map(|name| self.array(name).map(|array| array.values));
        let gains: Vec<f32> =
            scale?.iter().zip(variance?).map(|(s, v)| s / (v + epsilon).sqrt()).collect();
        let offsets = bias?.iter().zip(mean?).zip(&gains).map(|((b, m), g)| b - m * g).collect();
        Some(Kind::Affine { gains, offsets })
    }

    fn pad(&self, node: &NodeProto) -> Option<Kind> {
        let amounts = self.constants.get(node.input.get(1)?.as_str())?;
        let amounts = amounts.to_plain_array_view::<i64>().ok()?;
        let amounts =
            amounts.iter().map(|&n| usize::try_from(n).ok()).collect::<Option<Vec<_>>>()?;
        let [0, 0, top, left, 0, channels, bottom, right] = *amounts.as_slice() else {
            return None;
        };
        let plain = attribute(node, "mode").is_none_or(|mode| mode.s == b"constant");
        let zeros = node.input.get(2).is_none_or(String::is_empty);
        (plain && zeros)
            .then_some(Kind::Pad { channels, border: Border { top, left, bottom, right } })
    }

    /// Input and slopes of `max(x, 0) + (x - |x|) slope`, which is a rectifier of twice the slope.
    fn spelled_out(&self, node: &NodeProto) -> Option<(&'a str, Vec<f32>)> {
        let [above, below] = self.sources(node, "Add")?;
        let (above, below) = if above.op_type == "Relu" { (above, below) } else { (below, above) };
        let ("Relu", [x]) = (above.op_type.as_str(), above.input.as_slice()) else { return None };
        let [slopes, difference] = below.input.as_slice() else { return None };
        let constant = self.constants.contains_key(slopes.as_str());
        let (slopes, difference) =
            if constant { (slopes, difference) } else { (difference, slopes) };
        let difference = self.nodes.get(difference.as_str())?;
        let size = self.nodes.get(difference.input.get(1)?.as_str())?;
        let kinds = [&below.op_type, &difference.op_type, &size.op_type];
        let alike = difference.input.first() == Some(x) && size.input.first() == Some(x);
        if kinds != ["Mul", "Sub", "Abs"] || !alike {
            return None;
        }
        let x = self.nodes.get(x.as_str())?.output.first()?;
        Some((x, self.by_channel(slopes)?.iter().map(|slope| 2.0 * slope).collect()))
    }

    /// The nodes that a node of this kind takes its two inputs from.
    fn sources(&self, node: &NodeProto, kind: &str) -> Option<[&'a NodeProto; 2]> {
        let [one, other] = node.input.as_slice() else { return None };
        let [one, other] = [one, other].map(|name| self.nodes.get(name.as_str()).copied());
        (node.op_type == kind).then_some([one?, other?])
    }

    fn array(&self, name: &str) -> Option<Array> {
        let tensor = self.constants.get(name)?;
        let values: Vec<f32> = tensor.to_plain_array_view::<f32>().ok()?.iter().copied().collect();
        let finite = values.iter().all(|value| value.is_finite());
        finite.then(|| Array { shape: tensor.shape().to_vec(), values })
    }

    /// A constant that is one number, or one for each channel of a picture.
    fn by_channel(&self, name: &str) -> Option<Vec<f32>> {
        let Array { shape, values } = self.array(name)?;
        let per_channel = match shape.as_slice() {
            [channels, 1, 1] | [1, channels, 1, 1] => *channels == values.len(),
            _ => false,
        };
        (values.len() == 1 || per_channel).then_some(values)
    }
}

fn window(node: &NodeProto, [height, width]: [usize; 2]) -> Option<Window> {
    let numbers = |name, missing: &[i64]| -> Option<Vec<usize>> {
        let found = integers(node, name).unwrap_or(missing);
        found.iter().map(|&n| usize::try_from(n).ok()).collect()
    };
    let [step_y, step_x] = *numbers("strides", &[1, 1])?.as_slice() else { return None };
    let pads = numbers("pads", &[0; 4])?;
    let [top, left, bottom, right] = *pads.as_slice() else { return None };
    let sizes = [height, width, step_y, step_x].into_iter().all(|n| n > 0);
    let plain = integers(node, "dilations").is_none_or(|d| d.iter().all(|n| *n == 1))
        && attribute(node, "auto_pad").is_none_or(|a| a.s == b"NOTSET")
        && integer(node, "ceil_mode").unwrap_or(0) == 0;
    let pads = Border { top, left, bottom, right };
    (plain && sizes).then_some(Window { height, width, step_y, step_x, pads })
}

/// The window of a pool, which must not reach over the edges.
fn unpadded(node: &NodeProto) -> Option<Window> {
    let [height, width] = *integers(node, "kernel_shape")? else { return None };
    let window = window(node, [usize::try_from(height).ok()?, usize::try_from(width).ok()?])?;
    (window.pads == Border::default()).then_some(window)
}

fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}

fn integers<'a>(node: &'a NodeProto, name: &str) -> Option<&'a [i64]> {
    attribute(node, name).map(|attribute| attribute.ints.as_slice())
}

fn integer(node: &NodeProto, name: &str) -> Option<i64> {
    attribute(node, name).map(|attribute| attribute.i)
}
