"""How the org's page looks: the console's colours, light and dark."""

_LIGHT = (
    "--bg:#f5f6f8;--surface:#fff;--line:#e2e5eb;--control:#868fa1;--text:#161b26;--muted:#4a5365;--accent:#2454c6;"
    "--btn:#2454c6;--warn:#844800;--warn-bg:#fdf1dc;--idle:#4a5365;--idle-bg:#edeff3"
)
_DARK = (
    "--bg:#0f131a;--surface:#171c25;--line:#2a313d;--control:#6f7b90;--text:#e8ebf0;--muted:#b6bdca;--accent:#8fb0ff;"
    "--btn:#3563d0;--warn:#f0bd69;--warn-bg:#33260f;--idle:#b6bdca;--idle-bg:#242b37"
)
STYLE = (
    f":root{{color-scheme:light dark;{_LIGHT}}}@media(prefers-color-scheme:dark){{:root{{{_DARK}}}}}"
    """
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:14px/20px Inter,system-ui,sans-serif}
header,main{max-width:1320px;margin:0 auto;padding:16px}
main{display:grid;grid-template-columns:minmax(0,1fr);gap:16px;padding-top:0}
h1{font-size:20px;line-height:28px;margin:0}h2{font-size:15px;margin:0 0 8px}h3{font-size:14px;margin:0}
header p,.switch p{margin:4px 0 0;color:var(--muted)}
.card,.tiles>div{background:var(--surface);border:1px solid var(--line);border-radius:8px;padding:16px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:16px;margin:0}
dt{color:var(--muted)}dd{margin:0;font-size:24px;line-height:30px;font-weight:600;font-variant-numeric:tabular-nums}
.row,.pace,.pace span[role],.controls{display:flex;flex-wrap:wrap;gap:8px;align-items:center}
.row{gap:16px}.switches{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,380px),1fr));gap:16px}
.switch{border-top:1px solid var(--line);padding-top:12px}.controls{margin-top:8px}
table{border-collapse:collapse;width:100%;font-size:13px}
td,th{padding:8px;border-top:1px solid var(--line);text-align:left}
thead th{border:0;color:var(--muted);font-weight:400}.n{text-align:right;font-variant-numeric:tabular-nums}
div[role=region]{overflow-x:auto}code{font:.9em ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
button,input{font:inherit;color:inherit;height:34px;border:1px solid var(--control);border-radius:6px;
background:var(--surface);padding:0 12px}
input{padding:0 8px;max-width:160px}input[type=number]{width:84px}button{cursor:pointer}
button.main{background:var(--btn);border-color:var(--btn);color:#fff}
button[aria-pressed=true]{border-color:var(--accent);color:var(--accent);font-weight:600}
.pill{display:inline-block;border-radius:10px;padding:0 8px;font-size:12px;font-weight:500}
.on{background:var(--warn-bg);color:var(--warn)}.off{background:var(--idle-bg);color:var(--idle)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.skip{position:absolute;left:-9999px}.skip:focus{left:16px;top:8px;background:var(--surface);padding:8px}
@media(max-width:600px){button,input{height:40px}.tiles{grid-template-columns:1fr 1fr}}
"""
)
