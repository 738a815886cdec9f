//! As much of an ONNX model's form as is needed to change its nodes: the numbers and types are those of
//! `onnx.proto` (onnx/onnx, IR version 13). What is not looked into is carried along as bytes.

use prost::Message;

/// `TensorProto.DataType`.
pub(super) const FLOAT: i32 = 1;
pub(super) const UINT8: i32 = 2;
pub(super) const INT8: i32 = 3;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Model {
    #[prost(int64, optional, tag = "1")]
    ir_version: Option<i64>,
    #[prost(bytes = "vec", optional, tag = "2")]
    producer_name: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    producer_version: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    domain: Option<Vec<u8>>,
    #[prost(int64, optional, tag = "5")]
    model_version: Option<i64>,
    #[prost(message, optional, tag = "7")]
    pub graph: Option<Graph>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    opset_import: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "14")]
    metadata_props: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "25")]
    functions: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Graph {
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    #[prost(bytes = "vec", optional, tag = "2")]
    name: Option<Vec<u8>>,
    /// Each a [`Tensor`].
    #[prost(bytes = "vec", repeated, tag = "5")]
    pub initializer: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "11")]
    input: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "12")]
    output: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "13")]
    value_info: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "14")]
    quantization_annotation: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "15")]
    sparse_initializer: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    #[prost(string, optional, tag = "3")]
    pub name: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub op_type: Option<String>,
    /// Each an [`Attribute`].
    #[prost(bytes = "vec", repeated, tag = "5")]
    pub attribute: Vec<Vec<u8>>,
    #[prost(string, optional, tag = "7")]
    pub domain: Option<String>,
    #[prost(string, optional, tag = "8")]
    pub overload: Option<String>,
}

/// An attribute that is an integer; of others only the name is read.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Attribute {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(int64, optional, tag = "3")]
    i: Option<i64>,
    /// `AttributeProto.AttributeType`.
    #[prost(int32, optional, tag = "20")]
    kind: Option<i32>,
}

/// A tensor with its values as bytes.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Tensor {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub dims: Vec<i64>,
    #[prost(int32, optional, tag = "2")]
    pub data_type: Option<i32>,
    #[prost(string, optional, tag = "8")]
    pub name: Option<String>,
    /// Little-endian, row by row; absent where the values are elsewhere.
    #[prost(bytes = "vec", optional, tag = "9")]
    pub raw_data: Option<Vec<u8>>,
}

impl Node {
    /// A node of the standard's own operators.
    pub fn new(op_type: &str, input: &[&str], output: &str) -> Self {
        Self {
            input: input.iter().map(|&name| name.into()).collect(),
            output: vec![output.into()],
            name: Some(format!("{output}/{op_type}")),
            op_type: Some(op_type.into()),
            ..Self::default()
        }
    }

    /// The value of an integer attribute.
    pub fn int(&self, name: &str) -> Option<i64> {
        let attributes = self.attribute.iter();
        let mut attributes = attributes.filter_map(|bytes| Attribute::decode(&bytes[..]).ok());
        attributes.find(|a| a.name.as_deref() == Some(name))?.i
    }

    /// The same node with one more integer attribute.
    pub fn with_int(mut self, name: &str, value: i64) -> Self {
        let attribute = Attribute {
            name: Some(name.into()),
            i: Some(value),
            kind: Some(2),
        };
        self.attribute.push(attribute.encode_to_vec());
        self
    }
}

impl Tensor {
    /// A tensor of the given values.
    pub fn new(name: &str, data_type: i32, dims: &[usize], raw_data: Vec<u8>) -> Self {
        Self {
            dims: dims.iter().map(|&dim| dim as i64).collect(),
            data_type: Some(data_type),
            name: Some(name.into()),
            raw_data: Some(raw_data),
        }
    }

    /// The values of a tensor of 32-bit floats.
    pub fn floats(&self) -> Option<Vec<f32>> {
        let bytes = self.raw_data.as_ref()?;
        let (values, rest) = bytes.as_chunks::<4>();
        (self.data_type == Some(FLOAT) && rest.is_empty()).then(|| {
            values
                .iter()
                .map(|value| f32::from_le_bytes(*value))
                .collect()
        })
    }
}
