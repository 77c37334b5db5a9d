// Certificates that a test makes for itself.
#ifndef LOCKSTEP_TESTS_RUNTIMES_TEST_CERTIFICATES_H_
#define LOCKSTEP_TESTS_RUNTIMES_TEST_CERTIFICATES_H_

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <string>

namespace lockstep::test {

struct OpenSslFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(std::FILE* file) const { std::fclose(file); }
};

struct Certificate {
  std::unique_ptr<EVP_PKEY, OpenSslFree> key;
  std::unique_ptr<X509, OpenSslFree> x509;

  void WriteCertificate(const std::string& path) const {
    const std::unique_ptr<std::FILE, OpenSslFree> file(std::fopen(path.c_str(), "w"));
    PEM_write_X509(file.get(), x509.get());
  }
  void WriteKey(const std::string& path) const {
    const std::unique_ptr<std::FILE, OpenSslFree> file(std::fopen(path.c_str(), "w"));
    PEM_write_PrivateKey(file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  }
};

struct CertificateWish {
  const char* name = "engine";
  const char* hosts = nullptr;  // "DNS:localhost,IP:127.0.0.1"; none: an authority.
  long from_hours = -1;
  long until_hours = 1;
};

// Signed by `issuer`, or by itself.
inline Certificate MakeCertificate(const CertificateWish& wish, const Certificate* issuer) {
  Certificate made;
  made.key.reset(EVP_EC_gen("P-256"));
  made.x509.reset(X509_new());
  X509* x509 = made.x509.get();
  X509_set_version(x509, 2);
  static long serial = 1;
  ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
  X509_gmtime_adj(X509_getm_notBefore(x509), wish.from_hours * 3600);
  X509_gmtime_adj(X509_getm_notAfter(x509), wish.until_hours * 3600);
  X509_set_pubkey(x509, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(wish.name), -1, -1, 0);
  const Certificate& signer = issuer == nullptr ? made : *issuer;
  X509_set_issuer_name(x509, X509_get_subject_name(signer.x509.get()));
  const auto add = [&](int nid, const char* value) {
    const std::unique_ptr<X509_EXTENSION, OpenSslFree> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, nid, value));
    X509_add_ext(x509, extension.get(), -1);
  };
  add(NID_basic_constraints, wish.hosts == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (wish.hosts != nullptr) add(NID_subject_alt_name, wish.hosts);
  X509_sign(x509, signer.key.get(), EVP_sha256());
  return made;
}

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_RUNTIMES_TEST_CERTIFICATES_H_
