"use strict";

// The token of the session is in a cookie that no script reads; here is only whether there is one.
let inside = false;

const at = (id) => document.getElementById(id);
const PINS = ["pin", "pin-new", "pin-repeated", "pin-again"];
const METHODS = { device: "照合情報", pin: "操作者照合暗証番号" };

class Refused extends Error {}

async function ask(operation, body, where = "v1") {
  const headers = { "Content-Type": "application/json", "Accept": "application/json" };
  let answer;
  try {
    answer = await fetch(`/${where}/${operation}`, { method: "POST", headers, body: JSON.stringify(body) });
  } catch {
    throw new Refused("サーバに接続できません。しばらくしてからもう一度操作してください。");
  }
  const plain = await answer.json();
  if (answer.ok) return plain.data;
  if (answer.status === 401 && plain.code === "unidentified" && inside) left();
  const reasons = plain.problems.map((problem) => problem.text);
  throw new Refused([plain.detail_ja, ...reasons].join("\n"));
}

// What the device says is told in our words: a browser's own text is English and may be long.
async function device(work) {
  say("装置に指などを当ててください。");
  try {
    return (await work()).toJSON();
  } catch {
    throw new Refused("装置による照合ができませんでした。登録した装置であることを確認し、もう一度操作してください。");
  } finally {
    say("");
  }
}

function mustReachDevices() {
  if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) return;
  throw new Refused("このブラウザでは照合情報を使えません。システム管理者に連絡してください。");
}

async function proof(body) {
  mustReachDevices();
  const drawn = await ask("session/challenge", body, inside ? "screens" : "v1");
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(drawn.public_key);
  return device(() => navigator.credentials.get({ publicKey }));
}

async function open(given) {
  const body = { person: at("person").value.trim(), ...given };
  const operator = at("operator").value.trim();
  if (operator) body.operator = operator;
  entered(await ask("session/open", body, "screens"));
}

async function register() {
  mustReachDevices();
  const code = at("code").value.trim();
  const drawn = await ask("session/enrol-challenge", { code });
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(drawn.public_key);
  const answer = await device(() => navigator.credentials.create({ publicKey }));
  const done = await ask("session/enrol", { code, device: answer, label: at("label").value.trim() });
  at("enrolment").reset();
  at("person").value = done.person;
  say(`${done.person} の照合情報を登録しました。続けて認証してください。`);
}

async function choose() {
  const pin = at("pin-new").value;
  if (pin !== at("pin-repeated").value) {
    throw new Refused("二つの暗証番号が違います。もう一度入力してください。");
  }
  const done = await ask("session/enrol", { code: at("pin-code").value.trim(), pin });
  at("choosing").reset();
  at("person").value = done.person;
  at("fallback").open = true;
  say(`${done.person} の操作者照合暗証番号を設定しました。続けて認証してください。`);
}

// Whoever comes from a lock goes on where he was: at a screen of ours, and nowhere else.
const SCREEN = /^#(\/screens\/[a-z][a-z0-9-]*\/[a-z][a-z0-9-]*)$/;

function entered(session) {
  inside = true;
  const [, back] = SCREEN.exec(location.hash) ?? [];
  if (back) {
    at("go-on").href = back;
    at("go-on").textContent = "元の画面へ戻る";
  }
  at("who").textContent = session.person;
  at("as").textContent = session.operator;
  at("office").textContent = session.office;
  at("roles").textContent = session.role_labels.join("、");
  at("method").textContent = METHODS[session.method];
  at("again-by-pin").hidden = session.method !== "pin";
  at("last").textContent = session.last_login
    ? `${new Date(session.last_login).toLocaleString("ja-JP", { timeZone: "Asia/Tokyo" })} ${session.last_terminal}`
    : "ありません";
  show(true);
  say("ログインしました。前回のログインに覚えがないときは、システム管理者に連絡してください。");
}

function left() {
  inside = false;
  for (const field of at("inside").querySelectorAll("dd")) field.textContent = "";
  at("login").reset();
  show(false);
}

function show(now) {
  at("inside").hidden = !now;
  at("login").hidden = now;
  at("enrolment").hidden = now;
  at("choosing").hidden = now;
  at("title").textContent = now ? "ログイン中" : "操作者認証";
  (now ? at("go-on") : at("title")).focus();
}

function say(text) {
  at("said").textContent = text;
}

// One thing at a time: a device can wait for one finger only.
function does(work) {
  return async (event) => {
    event.preventDefault();
    const buttons = [...document.querySelectorAll("button")];
    say("");
    at("wrong").textContent = "";
    buttons.forEach((button) => { button.disabled = true; });
    try {
      await work(event);
    } catch (problem) {
      at("wrong").textContent = problem instanceof Refused ? problem.message : "操作できませんでした。";
    } finally {
      for (const name of PINS) at(name).value = "";
      buttons.forEach((button) => { button.disabled = false; });
    }
  };
}

at("login").addEventListener("submit", does(async (event) => {
  if (event.submitter === at("by-pin")) await open({ pin: at("pin").value });
  else await open({ device: await proof({ person: at("person").value.trim() }) });
}));
// Enter presses a form's first button; whoever typed a PIN means the second.
at("pin").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  at("by-pin").click();
});
at("enrolment").addEventListener("submit", does(register));
at("choosing").addEventListener("submit", does(choose));
at("again").addEventListener("submit", does(async () => {
  const byPin = !at("again-by-pin").hidden;
  const given = byPin ? { pin: at("pin-again").value } : { device: await proof({}) };
  await ask("session/verify", given, "screens");
  say("認証しました。");
}));
at("logout").addEventListener("click", does(async () => {
  await ask("session/close", {}, "screens");
  left();
  say("ログアウトしました。");
}));
