/* libcrypto's EVP as its manual has it for many messages under one key: the key once, then a nonce each. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

struct key {
    EVP_CIPHER_CTX *seal, *open;
};

void *peer_openssl_new(const uint8_t *octets, size_t len) {
    const EVP_CIPHER *cipher = len == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
    struct key *key = calloc(1, sizeof *key);
    if (!key)
        return NULL;
    key->seal = EVP_CIPHER_CTX_new();
    key->open = EVP_CIPHER_CTX_new();
    if (key->seal && key->open && EVP_EncryptInit_ex(key->seal, cipher, NULL, octets, NULL) == 1 &&
        EVP_DecryptInit_ex(key->open, cipher, NULL, octets, NULL) == 1)
        return key;
    peer_openssl_free(key);
    return NULL;
}

void peer_openssl_free(void *object) {
    struct key *key = object;
    EVP_CIPHER_CTX_free(key->seal);
    EVP_CIPHER_CTX_free(key->open);
    free(key);
}

int peer_openssl_seal(void *object, const struct peer_frame *frame) {
    EVP_CIPHER_CTX *ctx = ((struct key *)object)->seal;
    int done;
    return EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, frame->nonce) == 1 &&
           EVP_EncryptUpdate(ctx, NULL, &done, frame->aad, (int)frame->aad_len) == 1 &&
           EVP_EncryptUpdate(ctx, frame->text, &done, frame->text, (int)frame->text_len) == 1 &&
           EVP_EncryptFinal_ex(ctx, frame->text + done, &done) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, frame->tag) == 1;
}

int peer_openssl_open(void *object, const struct peer_frame *frame) {
    EVP_CIPHER_CTX *ctx = ((struct key *)object)->open;
    int done;
    int good = EVP_DecryptInit_ex(ctx, NULL, NULL, NULL, frame->nonce) == 1 &&
               EVP_DecryptUpdate(ctx, NULL, &done, frame->aad, (int)frame->aad_len) == 1 &&
               EVP_DecryptUpdate(ctx, frame->text, &done, frame->text, (int)frame->text_len) == 1 &&
               EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16, frame->tag) == 1 &&
               EVP_DecryptFinal_ex(ctx, frame->text + done, &done) == 1;
    if (!good)
        memset(frame->text, 0, frame->text_len);
    return good;
}
