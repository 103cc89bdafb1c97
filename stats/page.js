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

	const was = row => row.querySelector(".name").dataset.s; // its state when the page was made

	const filter = () => {
		const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
		for (const p of $(".proxy")) {
			let shown = 0;
			for (const r of $("tr[data-k]", p)) {
				const text = (r.dataset.k + " " + was(r)).toLowerCase();
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

	// Cells are found by the titles over them, which name columns of the CSV.
	const columns = new Map();
	for (const t of $("table.tbl")) {
		const before = t.querySelector("input.all") ? 2 : 1, at = {};
		Array.from(t.tHead.rows[1].cells).forEach((h, i) => { if (h.dataset.c) at[h.dataset.c] = before + i; });
		columns.set(t, at);
	}
	const text = (row, column) => {
		const cell = row.cells[columns.get(row.closest("table.tbl"))[column]];
		return cell && (cell.querySelector(".over > span") || cell);
	};

	const store = "hapax.rates:" + location.pathname, depth = 60;
	let past = {};
	try { past = JSON.parse(sessionStorage.getItem(store)) || {}; } catch (e) { past = {}; }
	const draw = (cell, values) => {
		let c = cell.querySelector("canvas");
		if (!c) {
			c = document.createElement("canvas");
			[c.width, c.height] = [96, 28];
			cell.append(c);
		}
		const w = c.width, h = c.height, g = c.getContext("2d"), most = Math.max(1, ...values);
		g.clearRect(0, 0, w, h);
		g.strokeStyle = getComputedStyle(cell).color;
		g.lineWidth = 2;
		g.beginPath();
		values.forEach((v, i) => g.lineTo(w - (values.length - 1 - i) * w / (depth - 1), h - 2 - v / most * (h - 4)));
		g.stroke();
		cell.title = "rate of late: " + Math.max(...values) + "/s at most";
	};
	// note keeps the rate of an object that has, or lately had, one.
	const note = (row, value) => {
		const cell = row.querySelector(".spark"), key = row.dataset.k;
		if (!cell || !(value || past[key])) return;
		past[key] = (past[key] || []).concat(value).slice(-depth);
		if (past[key].some(v => v)) draw(cell, past[key]);
		else { cell.textContent = ""; delete past[key]; }
	};
	const rows = new Map($("tr[data-k]").map(r => [r.dataset.k, r]));
	const save = () => { try { sessionStorage.setItem(store, JSON.stringify(past)); } catch (e) { past = {}; } };
	for (const r of rows.values()) {
		const e = text(r, "rate");
		if (e) note(r, +e.textContent);
	}
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
	// state marks a line whose colour is that of a state that is over, until the page is loaded again.
	const state = (row, now) => {
		row.classList.toggle("stale", now !== was(row));
		if (now !== was(row)) row.title = "now " + now;
		else row.removeAttribute("title");
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
				for (const column in columns.get(row.closest("table.tbl"))) {
					const e = text(row, column);
					if (e && now[column] && e.textContent !== now[column]) group(e, now[column]);
				}
				note(row, +now.rate);
				state(row, now.status);
			}
			save();
		} catch (e) { live.checked = false; }
	};
	setInterval(tick, 2000);
	live.checked = keep("live") === "1";
	live.onchange = () => keep("live", live.checked ? "1" : "0");
})();
