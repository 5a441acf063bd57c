"use strict";
// What a page does beside being read. Without it everything can still be read and pressed.
(() => {
  const body = document.body;
  const at = (id) => document.getElementById(id);
  const post = (path, content, type) => fetch(path, {
    method: "POST", body: content, keepalive: true,
    headers: { "Content-Type": type ?? "application/json", Accept: "application/json" },
  });

  // --- the session: locked when nobody does anything, and by F8 ---
  let used = Date.now();
  let away = false;
  const idle = () => Number(body.dataset.idle) * 1000;

  function emptied(title) {
    away = true;
    document.title = title;
    const box = document.createElement("main");
    box.className = "locked";
    const heading = document.createElement("h1");
    heading.textContent = title;
    const link = document.createElement("a");
    link.className = "button";
    // Back to the same screen: its path tells of nobody, and a fragment is sent to no server.
    link.href = `/screens/login#${body.dataset.here ?? ""}`;
    link.textContent = "操作者認証へ";
    box.append(heading, link);
    body.replaceChildren(box);
    link.focus();
  }

  async function leave(how, title) {
    if (away) return;
    emptied(title);
    try { await post(`/screens/session/${how}`, "{}"); } catch { /* the server counts by itself */ }
    if (how === "close") location.replace("/screens/login");
  }

  function remaining() {
    const rest = Math.max(0, Math.floor((new Date(body.dataset.ends) - Date.now()) / 60000));
    if (at("remaining")) at("remaining").textContent = `${Math.floor(rest / 60)}時間${rest % 60}分`;
    const left = Math.ceil((used + idle() - Date.now()) / 1000);
    if (left <= 0 || new Date(body.dataset.ends) <= Date.now()) { leave("lock", "ロック中"); return; }
    const warning = at("warning");
    if (!warning) return;
    const soon = left <= 30 && idle() > 60000;
    if (soon && warning.hidden) warning.textContent = "操作がないため、まもなくロックします。続けるときは何かキーを押してください。";
    warning.hidden = !soon;
  }

  if (body.dataset.idle) {
    for (const kind of ["keydown", "pointerdown", "input", "wheel"]) {
      addEventListener(kind, () => { used = Date.now(); }, { passive: true, capture: true });
    }
    setInterval(() => { if (!away) remaining(); }, 1000);
    addEventListener("keydown", (event) => {
      if (event.key === "F8") { event.preventDefault(); leave("lock", "ロック中"); }
    });
    at("lock")?.addEventListener("click", () => leave("lock", "ロック中"));
    at("leave")?.addEventListener("click", () => leave("close", "ログアウトしました"));
  }
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  // --- where one is ---
  const fields = "main input:not([type=hidden]), main select, main textarea";
  if (!document.querySelector("[autofocus]")) (at("wrong")?.classList.contains("summary") ? at("wrong") : at("title"))?.focus();
  for (const link of document.querySelectorAll(".summary a")) {
    if (!at(link.hash.slice(1))) { link.replaceWith(link.textContent); continue; }
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const field = at(link.hash.slice(1));
      const hides = field?.closest("details");
      if (hides) hides.open = true;
      (field?.matches("fieldset") ? field.querySelector("input") : field)?.focus();
    });
  }
  addEventListener("keydown", (event) => {
    if (event.altKey && event.key === "1") { event.preventDefault(); document.querySelector(fields)?.focus(); }
    if (event.key === "Escape") for (const open of document.querySelectorAll(".menu details[open]")) { open.open = false; open.firstElementChild.focus(); }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    if (event.target.matches?.("input, select, textarea")) return;
    const rows = [...document.querySelectorAll("tbody tr :is(a, button):first-of-type")];
    if (!rows.length) return;
    event.preventDefault();
    const here = rows.indexOf(document.activeElement);
    const next = event.key === "ArrowDown" ? Math.min(here + 1, rows.length - 1) : Math.max(here - 1, 0);
    rows[next].focus();
  });
  addEventListener("click", (event) => {
    for (const open of document.querySelectorAll(".menu details[open]")) if (!open.contains(event.target)) open.open = false;
  });

  // --- once is enough ---
  for (const form of document.querySelectorAll("form[method=post]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "1";
      setTimeout(() => { delete form.dataset.sent; }, 10000);
    });
  }

  // --- told while typing ---
  const narrow = (text) => text.normalize("NFKC").replace(/[\s\-ー‐]/g, "");
  const weighed = (digits, weights) => [...weights].reduce((sum, weight, i) => sum + weight * Number(digits[i]), 0) % 11;
  const NUMBERS = {
    "my-number": { length: 12, weights: [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2], zero: ["0"] },
    "resident-code": { length: 11, weights: [5, 4, 3, 2, 7, 6, 5, 4, 3, 2], zero: ["0", "1"] },
  };
  function numberEcho(text, rule) {
    const digits = narrow(text);
    if (!digits) return ["", false];
    if (!/^[0-9]+$/.test(digits)) return ["数字で入力してください。", true];
    if (digits.length !== rule.length) return [`${digits.length}桁 / ${rule.length}桁`, digits.length > rule.length];
    const rest = weighed(digits, rule.weights);
    const right = rest === 0 ? rule.zero : [rest === 1 ? "0" : String(11 - rest)];
    return right.includes(digits.at(-1)) ? ["検査数字は合っています。", false] : ["検査数字が合いません。", true];
  }
  const ERAS = { 明治: 1868, M: 1868, 大正: 1912, T: 1912, 昭和: 1926, S: 1926, 平成: 1989, H: 1989, 令和: 2019, R: 2019 };
  function dateEcho(text) {
    const plain = text.normalize("NFKC").replace(/\s/g, "").replace("元", "1").replace(/ー/g, "-").toUpperCase();
    if (!plain) return ["", false];
    const found = /^(明治|大正|昭和|平成|令和|[MTSHR])?(\d{1,4})[年.\/-](\d{1,2})[月.\/-](\d{1,2})日?$/.exec(plain)
      ?? /^([MTSHR])(\d{2})(\d{2})(\d{2})$/.exec(plain) ?? /^()(\d{4})(\d{2})(\d{2})$/.exec(plain);
    if (!found) return ["", false];
    const year = Number(found[2]) + (found[1] ? ERAS[found[1]] - 1 : 0);
    const [month, day] = [Number(found[3]), Number(found[4])];
    if (!found[1] && year < 1000) return ["", false];
    if (month > 12 || day > 31) return ["この日付はありません。", true];
    if (!month || !day) return [`${year}年${month ? `${month}月日不詳` : "月日不詳"}`, false];
    const era = new Intl.DateTimeFormat("ja-JP-u-ca-japanese", { dateStyle: "long", timeZone: "UTC" });
    return [`${year}年${month}月${day}日 (${era.format(Date.UTC(year, month - 1, day))})`, false];
  }
  for (const field of document.querySelectorAll("[data-checks]")) {
    const echo = at(`c-${field.name}`);
    const tell = () => {
      const rule = NUMBERS[field.dataset.checks];
      const [text, bad] = rule ? numberEcho(field.value, rule) : dateEcho(field.value);
      echo.textContent = text;
      echo.classList.toggle("bad", bad);
    };
    field.addEventListener("input", tell);
    tell();
  }

  // --- progress: asked every two seconds, which is no use of the session ---
  for (const form of document.querySelectorAll("[data-poll]")) {
    const bar = form.querySelector("progress");
    const told = form.querySelector(".told");
    let pause = 2000;
    const ask = async () => {
      if (away) return;
      try {
        const answer = await post(form.dataset.poll, new URLSearchParams(new FormData(form)), "application/x-www-form-urlencoded");
        if (answer.redirected || !answer.ok) throw new Error();
        const { done, total, text, finished } = await answer.json();
        bar.max = total || 1;
        bar.value = done;
        if (told.textContent !== text) told.textContent = text;
        if (finished) { form.querySelector("button")?.click(); return; }
        pause = 2000;
      } catch {
        told.textContent = "現在の状態を確認できません。";
        pause = Math.min(2 * pause, 30000);
      }
      setTimeout(ask, pause);
    };
    setTimeout(ask, pause);
  }

  // --- prove again who one is, in the middle of an act ---
  for (const button of document.querySelectorAll("[data-device]")) {
    const wrong = at("device-wrong");
    button.addEventListener("click", async () => {
      wrong.hidden = true;
      button.disabled = true;
      try {
        const answer = await post("/screens/session/challenge", "{}");
        if (!answer.ok) throw new Error();
        const { data } = await answer.json();
        const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(data.public_key);
        const proof = await navigator.credentials.get({ publicKey });
        button.form.elements.device.value = JSON.stringify(proof.toJSON());
        button.form.submit();
      } catch {
        wrong.textContent = "装置による照合ができませんでした。登録した装置であることを確認し、もう一度操作してください。";
        wrong.hidden = false;
        button.disabled = false;
      }
    });
  }
})();
