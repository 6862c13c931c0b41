// Fills a form with @getodk/xforms-engine, the engine of ODK Web Forms, from a script of answers.
//
// Arguments: folder with node_modules, form.xml, folder of media files, script, instance.xml to write. The script
// is the one that FillForm.java reads; output and failures mean the same. It draws nothing and sends nothing.

import { createRequire } from "node:module";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";

const [kit, formFile, mediaFolder, scriptFile, instanceFile] = process.argv.slice(2);
const require = createRequire(join(kit, "package.json"));

const { JSDOM } = require("jsdom");
standInForBrowser(new JSDOM("").window);
const { loadForm } = await import(pathToFileURL(require.resolve("@getodk/xforms-engine")).href);

const loaded = await loadForm(readFileSync(formFile, "utf8"), { fetchFormAttachment: fromFolder(mediaFolder) });
if (loaded.error) {
  throw new Error(`the form does not load: ${loaded.error.message}`);
}
const { root } = loaded.createInstance({
  instanceAttachments: { fileNameFactory: ({ basename: name, extension }) => `${name}${extension ?? ""}` },
  preloadProperties: { deviceID: "test:phone" },
});
for (const [path, text] of readScript(scriptFile)) {
  answer(find(root, path), text, path);
}
const payload = await root.prepareInstancePayload({ payloadType: "monolithic" });
writeFileSync(instanceFile, await payload.data[0].get("xml_submission_file").text());
for (const { reference, violation } of root.validationState.violations) {
  console.log(`${reference} ${violation.condition}`);
}

/** The engine reads documents with the browser's own classes: lend it jsdom's, where Node has none. */
function standInForBrowser(window) {
  for (const name of Object.getOwnPropertyNames(window)) {
    if (!(name in globalThis) && /^[A-Z]/.test(name)) {
      globalThis[name] = window[name];
    }
  }
  globalThis.document ??= window.document;
  globalThis.__dirname ??= ""; // its WebAssembly loader asks where it is, then loads from memory
}

/** Every jr:// address of a file is the file of that name in one folder. */
function fromFolder(folder) {
  const kinds = { csv: "text/csv", xml: "text/xml", geojson: "application/geo+json" };
  return async (address) => {
    const file = join(folder, basename(String(address)));
    if (!existsSync(file)) {
      return new Response("", { status: 404 });
    }
    const kind = kinds[file.split(".").pop()] ?? "application/octet-stream";
    return new Response(readFileSync(file), { status: 200, headers: { "content-type": kind } });
  };
}

function readScript(file) {
  const lines = readFileSync(file, "utf8").split("\n").filter((line) => line.includes("="));
  return lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]);
}

/** The node at "/data/trees/tree[2]/stem/dbh_cm"; a repeat that is named and not there yet is added. */
function find(from, path) {
  return path.split("/").slice(2).reduce((node, step) => child(node, step, path), from);
}

function child(node, step, path) {
  const [, name, position] = /^([^[]+)(?:\[(\d+)\])?$/.exec(step);
  const under = (node.currentState.children ?? []).find(
    (candidate) => candidate.definition.qualifiedName.localName === name,
  );
  if (under == null || !under.currentState.relevant) {
    throw new Error(`no question for ${path}`);
  }
  return position == null ? under : row(under, Number(position), path);
}

function row(range, position, path) {
  while (range.currentState.children.length < position && range.nodeType === "repeat-range:uncontrolled") {
    range.addInstances();
  }
  const found = range.currentState.children[position - 1];
  if (found == null) {
    throw new Error(`no repeat for ${path}`);
  }
  return found;
}

function answer(node, text, path) {
  switch (node.nodeType) {
    case "select":
      return select(node, text === "" ? [] : text.split(" "), path);
    case "upload":
      return node.setValue(text === "" ? null : new File([`bytes of ${text}`], text, { type: "image/jpeg" }));
    case "input":
    case "range":
      return node.setValue(node.valueType === "geopoint" ? geopoint(text) : text);
    default:
      throw new Error(`no question for ${path}`);
  }
}

function select(node, values, path) {
  const offered = new Set(node.currentState.valueOptions.map((option) => option.value));
  const strange = values.find((value) => !offered.has(value));
  if (strange !== undefined) {
    throw new Error(`${path} does not offer ${strange}`);
  }
  node.selectValues(values);
}

function geopoint(text) {
  const [latitude, longitude, altitude, accuracy] = text.split(" ").map(Number);
  return { latitude, longitude, altitude: altitude ?? null, accuracy: accuracy ?? null };
}
