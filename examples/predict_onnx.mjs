// Predictions of an exported model in JavaScript, with onnxruntime-node alone; as predict_onnx.py does it.
//
//     npm install onnxruntime-node
//     node predict_onnx.mjs model.onnx rows.json

import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-node";

const kinds = {
  float64: (value) => (value === null ? NaN : value),
  float32: (value) => (value === null ? NaN : value),
  int64: (value) => BigInt(value),
  string: (value) => (value === null ? "" : value),
  bool: (value) => (value ? 1 : 0),
};
const arrays = { float64: Float64Array, float32: Float32Array, int64: BigInt64Array, bool: Uint8Array };

const columns = JSON.parse(readFileSync(process.argv[3], "utf-8"));
const session = await ort.InferenceSession.create(process.argv[2]);

function rows(stop) {
  const feeds = {};
  for (const { name, type } of session.inputMetadata) {
    const values = columns[name].slice(0, stop).map(kinds[type]);
    feeds[name] = new ort.Tensor(type, type === "string" ? values : arrays[type].from(values), [values.length, 1]);
  }
  return feeds;
}

const found = {};
for (const [name, tensor] of Object.entries(await session.run(rows()))) {
  found[name] = Array.from(tensor.data, (value) => (typeof value === "bigint" ? Number(value) : value));
}
const one = rows(1);
const times = [];
for (let i = 0; i < 300; i += 1) {
  const started = performance.now();
  await session.run(one);
  times.push(performance.now() - started);
}
times.sort((a, b) => a - b);
console.log(JSON.stringify({ ...found, microseconds: 1000 * times[150] }));
