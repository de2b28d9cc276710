"""`pinterest-capi demo`: a packaged sample through the real target into a sandbox."""
