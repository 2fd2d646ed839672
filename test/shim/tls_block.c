/* tls_block.c -- a library that needs static TLS, for test_loading.py */
__attribute__((tls_model("initial-exec"))) __thread char tls_block[64] = {1};

char *
tls_get(void)
{
  return tls_block;
}
