//! A network behind two methods, so that everything around it is tested with fakes.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;
use tract_onnx::prelude::*;

use crate::manifest::Role;
use crate::nhwc::Program;
use crate::prelu;

/// One network with one input.
pub(crate) trait Model: Send + Sync {
    /// The input's shape: 1, colours, side, side.
    fn shape(&self) -> [usize; 4];

    /// Runs it on some inputs of that shape; gives of each every output as a flat list.
    fn run(&self, inputs: &[Vec<f32>]) -> Result<Vec<Vec<Vec<f32>>>, RunError>;
}

/// A network could not be run, or what came out is not a number.
#[derive(Debug, Error)]
#[error("the {role} model {failure}")]
pub struct RunError {
    /// The network.
    pub role: Role,
    /// What it did.
    pub failure: Failure,
}

/// How a network failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The runtime refused the input or stopped.
    Stopped,
    /// An output is missing or of another size than the role has.
    Shape,
    /// An output is infinite or not a number.
    NotFinite,
    /// The output has no length, so it cannot be compared.
    Empty,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failure::Stopped => "could not be run",
            Failure::Shape => "gave an output of an unexpected size",
            Failure::NotFinite => "gave a number that is not finite",
            Failure::Empty => "gave an empty description",
        })
    }
}

/// A network in its role: checks what goes in and what comes out.
pub(crate) struct Network {
    role: Role,
    model: Box<dyn Model>,
}

impl Network {
    pub(crate) fn new(role: Role, model: Box<dyn Model>) -> Network {
        Network { role, model }
    }

    pub(crate) fn side(&self) -> usize {
        let [_, _, _, side] = self.model.shape();
        side
    }

    pub(crate) fn shape(&self) -> [usize; 4] {
        self.model.shape()
    }

    /// The outputs of each input as they come.
    pub(crate) fn infer(&self, inputs: &[Vec<f32>]) -> Result<Vec<Vec<Vec<f32>>>, RunError> {
        self.model.run(inputs)
    }

    pub(crate) fn fails(&self, failure: Failure) -> RunError {
        RunError { role: self.role, failure }
    }

    /// Runs the network and gives its outputs, each exactly as long as in `sizes` and finite.
    pub(crate) fn run<const N: usize>(
        &self,
        input: Vec<f32>,
        sizes: [usize; N],
    ) -> Result<[Vec<f32>; N], RunError> {
        let [outputs] = self.run_each(&[input], sizes)?;
        Ok(outputs)
    }

    /// The same for several inputs at once, for which the weights go through the processor's caches
    /// only one time.
    pub(crate) fn run_each<const M: usize, const N: usize>(
        &self,
        inputs: &[Vec<f32>; M],
        sizes: [usize; N],
    ) -> Result<[[Vec<f32>; N]; M], RunError> {
        let each = self.model.run(inputs)?.into_iter();
        let each = each.map(|outputs| self.checked(outputs, sizes));
        let each: Vec<_> = each.collect::<Result<_, _>>()?;
        each.try_into().map_err(|_| self.fails(Failure::Shape))
    }

    fn checked<const N: usize>(
        &self,
        outputs: Vec<Vec<f32>>,
        sizes: [usize; N],
    ) -> Result<[Vec<f32>; N], RunError> {
        let outputs: [Vec<f32>; N] = outputs.try_into().map_err(|_| self.fails(Failure::Shape))?;
        if outputs.iter().zip(sizes).any(|(output, size)| output.len() != size) {
            return Err(self.fails(Failure::Shape));
        }
        if outputs.iter().flatten().any(|value| !value.is_finite()) {
            return Err(self.fails(Failure::NotFinite));
        }
        Ok(outputs)
    }
}

/// An ONNX file, run by [`Program`] where that knows all its operations, else by tract.
pub(crate) struct Onnx {
    role: Role,
    shape: [usize; 4],
    runner: Runner,
}

enum Runner {
    Program(Program),
    Tract(Arc<TypedRunnableModel>),
}

impl Onnx {
    /// Reads and prepares a network. The bytes must be checked before: tract is not made for files
    /// from strangers.
    pub(crate) fn load(role: Role, bytes: &[u8]) -> TractResult<Onnx> {
        let proto = onnx().proto_model_for_read(&mut &bytes[..])?;
        match proto.graph.as_ref().and_then(Program::new) {
            Some(program) => {
                Ok(Onnx { role, shape: program.shape(), runner: Runner::Program(program) })
            }
            None => Onnx::by_tract(role, bytes),
        }
    }

    fn by_tract(role: Role, bytes: &[u8]) -> TractResult<Onnx> {
        let model = prelu::joined(onnx().model_for_read(&mut &bytes[..])?.into_optimized()?)?;
        let fact = model.input_fact(0)?.shape.as_concrete().map(<[usize]>::to_vec);
        let shape: [usize; 4] = fact
            .and_then(|shape| shape.try_into().ok())
            .ok_or_else(|| TractError::msg("the input has no fixed shape of four dimensions"))?;
        Ok(Onnx { role, shape, runner: Runner::Tract(model.into_runnable()?) })
    }

    fn infer(&self, inputs: &[Vec<f32>]) -> TractResult<Vec<Vec<Vec<f32>>>> {
        let size = self.shape.iter().product::<usize>();
        if inputs.iter().any(|input| input.len() != size) {
            return Err(TractError::msg("the input has another size"));
        }
        match &self.runner {
            Runner::Program(program) => {
                Ok(program.run(&inputs.iter().map(Vec::as_slice).collect::<Vec<_>>()))
            }
            Runner::Tract(plan) => inputs.iter().map(|input| self.ask_tract(plan, input)).collect(),
        }
    }

    fn ask_tract(
        &self,
        plan: &Arc<TypedRunnableModel>,
        input: &[f32],
    ) -> TractResult<Vec<Vec<f32>>> {
        let outputs = plan.run(tvec!(Tensor::from_shape(&self.shape, input)?.into()))?;
        outputs
            .iter()
            .map(|o| Ok(o.to_plain_array_view::<f32>()?.iter().copied().collect()))
            .collect()
    }
}

impl Model for Onnx {
    fn shape(&self) -> [usize; 4] {
        self.shape
    }

    fn run(&self, inputs: &[Vec<f32>]) -> Result<Vec<Vec<Vec<f32>>>, RunError> {
        self.infer(inputs).map_err(|_| RunError { role: self.role, failure: Failure::Stopped })
    }
}

#[cfg(test)]
pub(crate) mod fake {
    use super::*;

    type Answer = Box<dyn Fn(&[f32]) -> Vec<Vec<f32>> + Send + Sync>;

    /// A network that answers as the test says.
    pub(crate) struct Fake(pub(crate) usize, pub(crate) Answer);

    impl Model for Fake {
        fn shape(&self) -> [usize; 4] {
            [1, 3, self.0, self.0]
        }

        fn run(&self, inputs: &[Vec<f32>]) -> Result<Vec<Vec<Vec<f32>>>, RunError> {
            Ok(inputs.iter().map(|input| self.1(input)).collect())
        }
    }

    pub(crate) fn network(
        role: Role,
        side: usize,
        answer: impl Fn(&[f32]) -> Vec<Vec<f32>> + Send + Sync + 'static,
    ) -> Network {
        Network::new(role, Box::new(Fake(side, Box::new(answer))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_go_on_at_the_same_time() {
        // Each waits in the network for the other; behind a lock they would never meet.
        let (arrived, others) = std::sync::mpsc::sync_channel(0);
        let (arrived, others) = (std::sync::Mutex::new(arrived), std::sync::Mutex::new(others));
        let long = std::time::Duration::from_secs(30);
        let network = fake::network(Role::Detection, 1, move |input| {
            let met = if input[0] > 0.0 {
                arrived.lock().unwrap().send(()).is_ok()
            } else {
                others.lock().unwrap().recv_timeout(long).is_ok()
            };
            vec![vec![f32::from(u8::from(met))]]
        });
        let run = |value: f32| network.run(vec![value; 3], [1]).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| run(0.0));
            assert_eq!(run(1.0), [[1.0]]);
        });
    }

    fn answering(outputs: Vec<Vec<f32>>) -> Result<[Vec<f32>; 1], Failure> {
        let network = fake::network(Role::Detection, 1, move |_| outputs.clone());
        network.run(vec![0.0; 3], [2]).map_err(|e| e.failure)
    }

    #[test]
    fn only_finite_outputs_of_the_right_size_pass() {
        // proves D6
        assert_eq!(answering(vec![vec![1.0, 2.0]]), Ok([vec![1.0, 2.0]]));
        assert_eq!(answering(vec![]), Err(Failure::Shape));
        assert_eq!(answering(vec![vec![1.0]]), Err(Failure::Shape));
        assert_eq!(answering(vec![vec![1.0, f32::NAN]]), Err(Failure::NotFinite));
        assert_eq!(answering(vec![vec![f32::INFINITY, 0.0]]), Err(Failure::NotFinite));
    }
}
