//! The parametric rectifier `x` where `x >= 0`, `slope x` below, with a slope for each channel (He et
//! al. 2015, arXiv:1502.01852), in one pass over the numbers.
//!
//! tract reads it from a file as a comparison, a product and a choice, each a slow pass of its own,
//! and as many where a converter spelled it out: two fifths of what the recognition networks take.
//! What is put in their place computes the same numbers, bit for bit.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::model::TypedModelPatch;

/// How a network spells the rectifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Spelling {
    /// `0 > x ? slope x : x`.
    Choice,
    /// `max(x, 0) + slope (x - |x|)`; the slope is half of the rectifier's.
    Sum,
}

/// The rectifier. Channels lie one after another, each with its slope.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Prelu {
    spelling: Spelling,
    slopes: Arc<Tensor>,
}

impl Prelu {
    fn apply(&self, values: &mut [f32], slope: f32) {
        match self.spelling {
            Spelling::Choice => values.iter_mut().for_each(|value| {
                let below = *value * slope;
                *value = if 0.0 > *value { below } else { *value };
            }),
            Spelling::Sum => values.iter_mut().for_each(|value| {
                let above = if *value > 0.0 { *value } else { 0.0 };
                *value = above + (*value - value.abs()) * slope;
            }),
        }
    }
}

impl Op for Prelu {
    fn name(&self) -> StaticName {
        "Prelu".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Prelu {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let mut values = in_order(args_1!(inputs).into_tensor())?;
        let slopes = self.slopes.to_plain_array_view::<f32>()?;
        let each = values.len() / slopes.len().max(1);
        let mut plain = values.try_as_plain_ram_mut()?;
        let channels = plain.as_slice_mut::<f32>()?.chunks_exact_mut(each.max(1));
        channels.zip(slopes).for_each(|(channel, slope)| self.apply(channel, *slope));
        Ok(tvec!(values.into_tvalue()))
    }
}

impl TypedOp for Prelu {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(inputs.iter().map(|fact| fact.datum_type.fact(fact.shape.clone())).collect())
    }

    as_op!();
}

/// The values as they lie in memory where that is their order, else a copy in order.
fn in_order(values: Tensor) -> TractResult<Tensor> {
    let shape: TVec<usize> = values.shape().into();
    let view = values.to_plain_array_view::<f32>()?;
    if view.is_standard_layout() {
        return values.into_shape(&shape);
    }
    let copy: Vec<f32> = view.iter().copied().collect();
    Tensor::from_shape(&shape, &copy)
}

/// The network with every rectifier that is spelled out put into one operation.
pub(crate) fn joined(mut model: TypedModel) -> TractResult<TypedModel> {
    for node in 0..model.nodes().len() {
        if let Some((prelu, input)) = found(&model, node)? {
            let mut patch = TypedModelPatch::default();
            let input = patch.tap_model(&model, input)?;
            let output = patch.wire_node(&model.node(node).name, prelu, &[input])?;
            for output in output {
                patch.shunt_outside(&model, node.into(), output)?;
            }
            patch.apply(&mut model)?;
        }
    }
    model.into_compact()
}

/// The rectifier that ends in this node, with its input.
fn found(model: &TypedModel, node: usize) -> TractResult<Option<(Prelu, OutletId)>> {
    let choice = choice(model, model.node(node));
    let spelled = choice.map(|(x, slopes)| (Spelling::Choice, x, slopes));
    let sum = || sum(model, model.node(node)).map(|(x, slopes)| (Spelling::Sum, x, slopes));
    let Some((spelling, x, slopes)) = spelled.or_else(sum) else { return Ok(None) };
    let Some(slopes) = constant(model, slopes) else { return Ok(None) };
    if !one_a_channel(model.outlet_fact(x)?, &slopes) {
        return Ok(None);
    }
    let slopes: Vec<f32> = slopes.to_plain_array_view::<f32>()?.iter().copied().collect();
    Ok(Some((Prelu { spelling, slopes: tensor1(&slopes).into() }, x)))
}

/// Input and slopes of `Iff(0 > x, x slope, x)`.
fn choice(model: &TypedModel, node: &TypedNode) -> Option<(OutletId, OutletId)> {
    let [below, scaled, x] = inputs(node, "Iff")?;
    let [zero, compared] = inputs(model.node(below.node), "GT")?;
    let product = model.node(scaled.node);
    let [factor, slopes] = inputs(product, "OptMulByScalar").or_else(|| inputs(product, "Mul"))?;
    (is_zero(model, zero) && compared == x && factor == x).then_some((x, slopes))
}

/// Input and slopes of `max(x, 0) + (x - |x|) slope`.
fn sum(model: &TypedModel, node: &TypedNode) -> Option<(OutletId, OutletId)> {
    let [x, zero, part] = inputs(node, "OptBinChain(Max+Add)")?;
    let [less, size, slopes] = inputs(model.node(part.node), "OptBinChain(Sub+Mul)")?;
    let [sized] = inputs(model.node(size.node), "Abs")?;
    (is_zero(model, zero) && less == x && sized == x).then_some((x, slopes))
}

/// The inputs of an operation of this name and so many inputs.
fn inputs<const N: usize>(node: &TypedNode, name: &str) -> Option<[OutletId; N]> {
    let inputs = node.inputs.as_slice().try_into().ok()?;
    (node.op.name() == name).then_some(inputs)
}

fn constant(model: &TypedModel, outlet: OutletId) -> Option<Arc<Tensor>> {
    model.outlet_fact(outlet).ok()?.konst.clone()
}

fn is_zero(model: &TypedModel, outlet: OutletId) -> bool {
    let zero = |tensor: Arc<Tensor>| {
        tensor.to_plain_array_view::<f32>().is_ok_and(|view| view.iter().all(|value| *value == 0.0))
    };
    constant(model, outlet).is_some_and(zero)
}

/// Whether the slopes have the input's shape up to the channels, and one value beyond.
fn one_a_channel(input: &TypedFact, slopes: &Tensor) -> bool {
    let Some(shape) = input.shape.as_concrete() else { return false };
    let alike = shape.iter().zip(slopes.shape()).take_while(|(one, other)| one == other).count();
    let beyond = slopes.shape().iter().skip(alike).all(|side| *side == 1);
    shape.len() == slopes.rank() && beyond && slopes.len() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [usize; 4] = [1, 3, 2, 2];
    const VALUES: [f32; 12] = [1.0, -2.0, 0.0, -0.5, 7.0, -7.0, 3.5, -1e-3, -1e6, 0.25, -9.0, 4.0];
    const SLOPES: [f32; 3] = [0.25, -0.5, 1.5];

    fn prelu(spelling: Spelling, values: Tensor) -> Vec<f32> {
        let prelu = Prelu { spelling, slopes: tensor1(&SLOPES).into() };
        let output = prelu.eval_out_of_plan(tvec!(values.into_tvalue())).unwrap().unwrap();
        assert_eq!(output[0].shape(), SHAPE);
        output[0].to_plain_array_view::<f32>().unwrap().iter().copied().collect()
    }

    fn expected(scale: f32) -> Vec<f32> {
        let slope =
            |index: usize| if VALUES[index] < 0.0 { scale * SLOPES[index / 4] } else { 1.0 };
        VALUES.iter().enumerate().map(|(index, value)| value * slope(index)).collect()
    }

    #[test]
    fn each_channel_has_its_slope() {
        let values = Tensor::from_shape(&SHAPE, &VALUES).unwrap();
        assert_eq!(prelu(Spelling::Choice, values.clone()), expected(1.0));
        assert_eq!(prelu(Spelling::Sum, values), expected(2.0));
    }

    #[test]
    fn values_that_lie_in_another_order_are_put_in_order() {
        let turned: Vec<f32> = (0..12).map(|at| VALUES[at % 3 * 4 + at / 3]).collect();
        let turned = Tensor::from_shape(&[1, 2, 2, 3], &turned).unwrap();
        let values = turned.permute_axes(&[0, 3, 1, 2]).unwrap();
        assert_eq!(prelu(Spelling::Choice, values), expected(1.0));
    }

    /// The choice as tract spells it, run as it is and joined.
    #[test]
    fn joining_changes_no_number() {
        let mut model = TypedModel::default();
        let x = model.add_source("x", f32::fact(SHAPE)).unwrap();
        let zero = model.add_const("zero", Tensor::zero::<f32>(&[1; 4]).unwrap()).unwrap();
        let slopes = Tensor::from_shape(&[1, 3, 1, 1], &SLOPES).unwrap();
        let slopes = model.add_const("slopes", slopes).unwrap();
        let scaled =
            model.wire_node("scaled", tract_onnx::tract_core::ops::math::mul(), &[x, slopes]);
        let greater = tract_onnx::tract_core::ops::logic::comp_gt();
        let greater = tract_onnx::tract_core::ops::binary::TypedBinOp(greater, None);
        let below = model.wire_node("below", greater, &[zero, x]).unwrap();
        let inputs = [below[0], scaled.unwrap()[0], x];
        let chosen =
            model.wire_node("iff", tract_onnx::tract_core::ops::logic::Iff, &inputs).unwrap();
        model.select_output_outlets(&chosen).unwrap();
        let plain = model.into_optimized().unwrap();
        let joined = joined(plain.clone()).unwrap();
        let names = |model: &TypedModel| -> Vec<String> {
            model.nodes().iter().map(|node| node.op.name().into_owned()).collect()
        };
        assert!(names(&plain).contains(&"Iff".to_owned()), "{:?}", names(&plain));
        assert_eq!(names(&joined), ["Source", "Prelu"]);
        let run = |model: TypedModel| -> Vec<f32> {
            let input = Tensor::from_shape(&SHAPE, &VALUES).unwrap();
            let output = model.into_runnable().unwrap().run(tvec!(input.into())).unwrap();
            output[0].to_plain_array_view::<f32>().unwrap().iter().copied().collect()
        };
        assert_eq!(run(joined), run(plain));
    }
}
