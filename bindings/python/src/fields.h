// Binding plain structs: fields, repr and to_dict().
#ifndef NTA_BINDINGS_PYTHON_FIELDS_H_
#define NTA_BINDINGS_PYTHON_FIELDS_H_

#include <pybind11/pybind11.h>

#include <string>
#include <utility>
#include <vector>

namespace nta::python {

namespace py = pybind11;

// A class whose fields also show in its repr and in to_dict(), in the order in which they were
// added.
template <typename T, typename... Options>
class FieldsClass {
 public:
  FieldsClass(py::module_& module, const char* name, const char* doc)
      : class_(module, name, doc), type_name_(name) {}

  template <typename Getter>
  FieldsClass& Read(const char* name, const Getter& getter) {
    class_.def_property_readonly(name, getter);
    names_.emplace_back(name);
    return *this;
  }
  template <typename V>
  FieldsClass& Read(const char* name, V T::*member) {
    class_.def_readonly(name, member);
    names_.emplace_back(name);
    return *this;
  }
  template <typename Getter, typename Setter>
  FieldsClass& ReadWrite(const char* name, const Getter& getter, const Setter& setter) {
    class_.def_property(name, getter, setter);
    names_.emplace_back(name);
    return *this;
  }
  template <typename V>
  FieldsClass& ReadWrite(const char* name, V T::*member) {
    class_.def_readwrite(name, member);
    names_.emplace_back(name);
    return *this;
  }

  // Call last.
  py::class_<T, Options...>& Finish() {
    class_.def("__repr__", [names = names_, type = type_name_](py::handle self) {
      std::string text = type + "(";
      for (const std::string& name : names) {
        if (text.back() != '(') text += ", ";
        text += name + "=" + std::string(py::repr(self.attr(name.c_str())));
      }
      return text + ")";
    });
    if (!py::hasattr(class_, "to_dict")) {
      class_.def("to_dict", [names = names_](py::handle self) {
        py::dict result;
        for (const std::string& name : names) {
          const py::object value = self.attr(name.c_str());
          result[py::str(name)] = py::hasattr(value, "to_dict") ? value.attr("to_dict")() : value;
        }
        return result;
      });
    }
    return class_;
  }
  py::class_<T, Options...>& type() { return class_; }

 private:
  py::class_<T, Options...> class_;
  std::string type_name_;
  std::vector<std::string> names_;
};

// A T with its writable attributes set from keywords. TypeError for one that does not exist.
template <typename T>
T FromKeywords(const py::kwargs& values) {
  T result{};
  const py::object object = py::cast(&result, py::return_value_policy::reference);
  const py::object type = py::type::of<T>();
  for (const auto& [name, value] : values) {
    const py::object field = py::getattr(type, name, py::none());
    if (py::getattr(field, "fset", py::none()).is_none()) {
      throw py::type_error(std::string(py::str(type.attr("__name__"))) + "() has no field '" +
                           std::string(py::str(name)) + "'");
    }
    py::setattr(object, name, value);
  }
  return result;
}

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_FIELDS_H_
