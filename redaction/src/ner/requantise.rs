//! Weights of four bits as weights of eight.
//!
//! A model of 4-bit weights (`MatMulNBits`) is small to ship, but a CPU has no instruction for them:
//! ONNX Runtime makes floats of them in each run. Eight-bit weights and activations are what AVX-512
//! VNNI, AVX-VNNI and Arm's dot products are for; the built-in model is then read two to three times
//! as fast (`docs/detection.md`). So each such product
//!
//! ```text
//! y = MatMulNBits(x, weights of 4 bits, scales)
//! ```
//!
//! becomes the product of integers that ONNX describes for dynamic quantization,
//!
//! ```text
//! x', scale, zero = DynamicQuantizeLinear(x)
//! y = Cast(MatMulInteger(x', weights of 8 bits, zero)) * (scale * scales)
//! ```
//!
//! with a scale for each column. Where the CPU has no such instruction, AVX2's (`vpmaddubsw`) saturates
//! on unsigned by signed bytes, silently; weights are then unsigned, which costs half of the gain.

use super::onnx::{FLOAT, INT8, Model, Node, Tensor, UINT8};
use prost::Message;
use std::collections::{HashMap, HashSet};

/// Whether eight-bit weights are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weights {
    Signed,
    Unsigned,
}

impl Weights {
    /// What this CPU multiplies fast and without saturation.
    pub fn of_this_cpu() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let exact =
                is_x86_feature_detected!("avx512vnni") || is_x86_feature_detected!("avxvnni");
            if !exact {
                return Self::Unsigned;
            }
        }
        Self::Signed
    }
}

/// The model with its 4-bit weights as 8-bit ones; `None` if it has none that can be changed.
pub(super) fn requantise(model: &[u8], weights: Weights) -> Option<Vec<u8>> {
    let mut model = Model::decode(model).ok()?;
    let graph = model.graph.as_mut()?;
    let products = graph.node.iter().filter(|node| is_product(node));
    let wanted: HashSet<&str> = products
        .flat_map(|node| &node.input[1..])
        .map(String::as_str)
        .collect();
    let mut tensors: HashMap<String, Tensor> = HashMap::new();
    for bytes in &graph.initializer {
        let tensor = Tensor::decode(&bytes[..]).ok()?;
        if let Some(name) = tensor
            .name
            .clone()
            .filter(|name| wanted.contains(name.as_str()))
        {
            tensors.insert(name, tensor);
        }
    }
    let mut nodes = Vec::with_capacity(graph.node.len());
    let mut made = Vec::new();
    for node in std::mem::take(&mut graph.node) {
        match is_product(&node)
            .then(|| Product::read(&node, &tensors))
            .flatten()
        {
            Some(product) => product.write(weights, &mut nodes, &mut made),
            None => nodes.push(node),
        }
    }
    if made.is_empty() {
        return None;
    }
    let used: HashSet<&str> = nodes
        .iter()
        .flat_map(|node| &node.input)
        .map(String::as_str)
        .collect();
    let is_left = |name: &Option<String>| {
        let name = name.as_deref().unwrap_or_default();
        used.contains(name) || !tensors.contains_key(name)
    };
    graph
        .initializer
        .retain(|bytes| Tensor::decode(&bytes[..]).is_ok_and(|tensor| is_left(&tensor.name)));
    graph
        .initializer
        .extend(made.iter().map(Message::encode_to_vec));
    graph.node = nodes;
    Some(model.encode_to_vec())
}

fn is_product(node: &Node) -> bool {
    node.op_type.as_deref() == Some("MatMulNBits")
        && node.domain.as_deref() == Some("com.microsoft")
        && node.int("bits").unwrap_or(4) == 4
        // With a bias or an order of groups it would be another formula.
        && (3..=4).contains(&node.input.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1))
}

/// A product with its weights as floats, column by column.
struct Product<'n> {
    input: &'n str,
    output: &'n str,
    rows: usize,
    columns: usize,
    weights: Vec<f32>,
}

impl<'n> Product<'n> {
    /// Reads it as ONNX Runtime's contrib operators describe it: for each column, blocks of weights,
    /// two in a byte, the lower half first; a scale for each block, a zero point of 8 unless given.
    fn read(node: &'n Node, tensors: &HashMap<String, Tensor>) -> Option<Self> {
        let size = |name| {
            node.int(name)
                .and_then(|size| usize::try_from(size).ok())
                .filter(|size| *size > 0)
        };
        let (rows, columns, block) = (size("K")?, size("N")?, size("block_size")?);
        if !rows.is_multiple_of(block) || !block.is_multiple_of(2) {
            return None;
        }
        let blocks = rows / block;
        let packed = tensors.get(&node.input[1])?.raw_data.as_ref()?;
        let scales = tensors.get(&node.input[2])?.floats()?;
        let zeros = match node.input.get(3).filter(|name| !name.is_empty()) {
            Some(name) => Some(tensors.get(name)?.raw_data.as_ref()?),
            None => None,
        };
        let zero_bytes = blocks.div_ceil(2);
        let fits = packed.len() == columns * rows / 2
            && scales.len() == columns * blocks
            && zeros.is_none_or(|zeros| zeros.len() == columns * zero_bytes);
        if !fits {
            return None;
        }
        let half = |byte: u8, at: usize| {
            f32::from(if at.is_multiple_of(2) {
                byte & 15
            } else {
                byte >> 4
            })
        };
        let mut weights = Vec::with_capacity(rows * columns);
        for column in 0..columns {
            for row in 0..rows {
                let (at, of) = (column * rows + row, row / block);
                let zero = zeros.map_or(8.0, |zeros| half(zeros[column * zero_bytes + of / 2], of));
                weights.push((half(packed[at / 2], row) - zero) * scales[column * blocks + of]);
            }
        }
        Some(Self {
            input: &node.input[0],
            output: node.output.first()?,
            rows,
            columns,
            weights,
        })
    }

    fn write(&self, kind: Weights, nodes: &mut Vec<Node>, tensors: &mut Vec<Tensor>) {
        let name = |part: &str| format!("{}/{part}", self.output);
        let (offset, data_type) = match kind {
            Weights::Signed => (0i16, INT8),
            Weights::Unsigned => (128, UINT8),
        };
        let mut values = vec![0u8; self.rows * self.columns];
        let mut scales = Vec::with_capacity(self.columns * 4);
        for (column, weights) in self.weights.chunks_exact(self.rows).enumerate() {
            let most = weights
                .iter()
                .fold(0.0f32, |most, weight| most.max(weight.abs()));
            let scale = if most > 0.0 { most / 127.0 } else { 1.0 };
            scales.extend(scale.to_le_bytes());
            for (row, weight) in weights.iter().enumerate() {
                // From -127 to 127, and so within a byte of either kind.
                let value = (weight / scale).round() as i16 + offset;
                values[row * self.columns + column] = value as u8;
            }
        }
        let zeros = vec![offset as u8; self.columns];
        tensors.extend([
            Tensor::new(
                &name("weights"),
                data_type,
                &[self.rows, self.columns],
                values,
            ),
            Tensor::new(&name("scales"), FLOAT, &[self.columns], scales),
            Tensor::new(&name("zeros"), data_type, &[self.columns], zeros),
        ]);
        let mut quantize = Node::new("DynamicQuantizeLinear", &[self.input], &name("x"));
        quantize.output.extend([name("x_scale"), name("x_zero")]);
        nodes.extend([
            quantize,
            Node::new(
                "MatMulInteger",
                &[
                    &name("x"),
                    &name("weights"),
                    &name("x_zero"),
                    &name("zeros"),
                ],
                &name("integers"),
            ),
            Node::new("Cast", &[&name("integers")], &name("floats"))
                .with_int("to", i64::from(FLOAT)),
            Node::new("Mul", &[&name("x_scale"), &name("scales")], &name("scale")),
            Node::new("Mul", &[&name("floats"), &name("scale")], self.output),
        ]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ner::onnx::Graph;

    const NAMES: [&str; 2] = ["w", "s"];

    /// One product of 32 rows and 2 columns in blocks of 16, with what stands around it.
    fn model(zeros: Option<[u8; 2]>, bias: bool) -> (Vec<u8>, Vec<f32>) {
        let packed: Vec<u8> = (0..32).map(|at| (at * 37 % 251) as u8).collect();
        let scales = [0.5f32, -0.25, 2.0, 0.125];
        let mut node = Node::new("MatMulNBits", &["x", NAMES[0], NAMES[1]], "y")
            .with_int("K", 32)
            .with_int("N", 2)
            .with_int("bits", 4)
            .with_int("block_size", 16);
        node.domain = Some("com.microsoft".into());
        let mut tensors = vec![
            Tensor::new(NAMES[0], UINT8, &[2, 2, 8], packed.clone()),
            Tensor::new(
                NAMES[1],
                FLOAT,
                &[4],
                scales.iter().flat_map(|s| s.to_le_bytes()).collect(),
            ),
            Tensor::new("other", FLOAT, &[1], vec![0; 4]),
        ];
        if let Some(zeros) = zeros {
            node.input.push("z".into());
            tensors.push(Tensor::new("z", UINT8, &[2], zeros.to_vec()));
        }
        if bias {
            node.input.resize(5, String::new());
            node.input.push("other".into());
        }
        let weights = (0..64).map(|at: usize| {
            let half = |byte: u8, at: usize| {
                f32::from(if at.is_multiple_of(2) {
                    byte & 15
                } else {
                    byte >> 4
                })
            };
            let (column, row) = (at / 32, at % 32);
            let zero = zeros.map_or(8.0, |zeros| half(zeros[column], row / 16));
            (half(packed[at / 2], row) - zero) * scales[column * 2 + row / 16]
        });
        let weights = weights.collect();
        let mut graph = Graph::default();
        graph.node = vec![Node::new("Relu", &["other"], "x"), node];
        graph.initializer = tensors.iter().map(Message::encode_to_vec).collect();
        let mut model = Model::default();
        model.graph = Some(graph);
        (model.encode_to_vec(), weights)
    }

    #[test]
    fn weights_stay_what_they_are_within_half_a_step() {
        for kind in [Weights::Signed, Weights::Unsigned] {
            for zeros in [None, Some([0x3a, 0xf0])] {
                let (bytes, weights) = model(zeros, false);
                let graph = Model::decode(&requantise(&bytes, kind).unwrap()[..])
                    .unwrap()
                    .graph
                    .unwrap();
                let tensors: Vec<Tensor> = graph
                    .initializer
                    .iter()
                    .map(|bytes| Tensor::decode(&bytes[..]).unwrap())
                    .collect();
                let named = |name: &str| {
                    tensors
                        .iter()
                        .find(|t| t.name.as_deref() == Some(name))
                        .unwrap()
                };
                let scales = named("y/scales").floats().unwrap();
                let zeros = named("y/zeros").raw_data.clone().unwrap();
                for (at, byte) in named("y/weights")
                    .raw_data
                    .clone()
                    .unwrap()
                    .into_iter()
                    .enumerate()
                {
                    let (row, column) = (at / 2, at % 2);
                    let value = match kind {
                        Weights::Signed => f32::from(byte as i8),
                        Weights::Unsigned => f32::from(byte) - f32::from(zeros[column]),
                    };
                    let apart = (value * scales[column] - weights[column * 32 + row]).abs();
                    assert!(
                        apart <= scales[column].abs() * 0.501,
                        "{row}, {column}: {apart}"
                    );
                }
                // Nothing is read that is nowhere, and nothing is kept that nothing reads.
                let made: HashSet<&str> = graph
                    .node
                    .iter()
                    .flat_map(|node| &node.output)
                    .chain(tensors.iter().filter_map(|tensor| tensor.name.as_ref()))
                    .map(String::as_str)
                    .collect();
                assert!(
                    graph
                        .node
                        .iter()
                        .flat_map(|node| &node.input)
                        .all(|name| made.contains(name.as_str()))
                );
                assert!(!NAMES.iter().any(|name| made.contains(name)));
                assert_eq!(graph.node.last().unwrap().output, ["y"]);
            }
        }
    }

    #[test]
    fn what_is_another_formula_is_left_alone() {
        assert_eq!(requantise(&model(None, true).0, Weights::Signed), None);
        assert_eq!(requantise(b"no model", Weights::Signed), None);
        let (bytes, _) = model(None, false);
        let mut other = Model::decode(&bytes[..]).unwrap();
        other.graph.as_mut().unwrap().initializer.remove(1);
        assert_eq!(requantise(&other.encode_to_vec(), Weights::Signed), None);
    }
}
