"""Parts of pages that the browser draws by itself. Each is a folder: what Python calls, and its scripts and styles."""
