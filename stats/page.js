"use strict";
// What the page does beyond its first state: a filter, a theme, sparklines, numbers that move. It works on the
// page's own elements and on its own CSV only, and writes text, never markup.
(function () {
	const $ = (s, e) => Array.from((e || document).querySelectorAll(s));
	const box = document.getElementById("filter"), theme = document.getElementById("theme"), live = document.getElementById("live");
	const keep = (k, v) => { try { if (v === undefined) return localStorage.getItem("hapax." + k); localStorage.setItem("hapax." + k, v); } catch (e) { return null; } };

	const themes = ["auto", "light", "dark"];
	const dress = t => { document.documentElement.dataset.theme = t; theme.textContent = "Theme: " + t; };
	dress(themes.includes(keep("theme")) ? keep("theme") : "auto");
	theme.onclick = () => { const t = themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % 3]; keep("theme", t); dress(t); };

	const filter = () => {
		const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
		for (const p of $(".proxy")) {
			let shown = 0;
			for (const r of $("tr[data-k]", p)) {
				const text = (r.dataset.k + " " + r.dataset.s).toLowerCase();
				r.hidden = !words.every(w => text.includes(w));
				shown += !r.hidden;
			}
			p.hidden = !shown;
		}
		keep("filter", box.value);
	};
	box.value = keep("filter") || "";
	box.oninput = filter;
	filter();

	for (const all of $("input.all")) all.onclick = () => {
		for (const b of $("tbody tr:not([hidden]) input[name=s]", all.closest("table"))) b.checked = all.checked;
	};

	const store = "hapax.rates:" + location.pathname, depth = 60;
	let past = {};
	try { past = JSON.parse(sessionStorage.getItem(store)) || {}; } catch (e) { past = {}; }
	const draw = (cell, values) => {
		const c = cell.querySelector("canvas"), w = c.width, h = c.height, g = c.getContext("2d"), most = Math.max(1, ...values);
		g.clearRect(0, 0, w, h);
		g.strokeStyle = getComputedStyle(cell).color;
		g.beginPath();
		values.forEach((v, i) => g.lineTo(w - (values.length - 1 - i) * w / (depth - 1), h - 1 - v / most * (h - 2)));
		g.stroke();
	};
	const note = (row, value) => {
		const list = past[row.dataset.k] = (past[row.dataset.k] || []).concat(value).slice(-depth);
		draw(row.querySelector(".spark"), list);
	};
	const rows = new Map($("tr[data-k]").map(r => [r.dataset.k, r]));
	const save = () => { try { sessionStorage.setItem(store, JSON.stringify(past)); } catch (e) { past = {}; } };
	for (const r of rows.values()) if (r.querySelector(".spark")) note(r, +r.querySelector(".spark").dataset.v);
	save();

	// group sets a number as the page does: digits in groups of three that are one number when copied.
	const group = (e, text) => {
		e.textContent = "";
		for (let i = 0; i < text.length; i++) {
			if (/^\d+$/.test(text) && i + 1 < text.length && (text.length - i - 1) % 3 === 0) {
				const s = document.createElement("span");
				s.className = "rls";
				s.textContent = text[i];
				e.append(s);
			} else e.append(text[i]);
		}
	};
	const cells = line => {
		const out = [];
		for (let i = 0; i <= line.length; i++) {
			let s = "";
			if (line[i] === '"') {
				for (i++; i < line.length && (line[i] !== '"' || line[i + 1] === '"'); i++) { if (line[i] === '"') i++; s += line[i]; }
				i++;
			} else for (; i < line.length && line[i] !== ","; i++) s += line[i];
			out.push(s);
		}
		return out;
	};
	const tick = async () => {
		if (!live.checked || document.hidden) return;
		try {
			const answer = await fetch(live.dataset.csv, { credentials: "same-origin", cache: "no-store" });
			if (!answer.ok) return;
			const lines = (await answer.text()).trim().split("\n"), head = cells(lines[0].replace(/^# /, ""));
			for (const line of lines.slice(1)) {
				const c = cells(line), now = Object.fromEntries(head.map((n, i) => [n, c[i]]));
				const row = rows.get(now.pxname + "/" + now.svname);
				if (!row) continue;
				for (const e of $("[data-c]", row)) if (now[e.dataset.c] !== undefined) group(e, now[e.dataset.c]);
				if (row.querySelector(".spark")) note(row, +now.rate);
			}
			save();
		} catch (e) { live.checked = false; }
	};
	setInterval(tick, 2000);
	live.checked = keep("live") === "1";
	live.onchange = () => keep("live", live.checked ? "1" : "0");
})();
