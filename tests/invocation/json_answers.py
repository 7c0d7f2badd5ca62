"""What services that speak JSON have in common: text of a program, to be written before what is the service's own."""

JSON_ANSWERS = """
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class JsonHandler(BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def answer(self, status, value):
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
    def asked(self): return json.loads(self.rfile.read(int(self.headers["Content-Length"])))
"""
